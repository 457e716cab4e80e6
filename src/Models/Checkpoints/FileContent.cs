using Microsoft.Win32.SafeHandles;

namespace MLComponents.Models;

/// <summary>
/// A file. It is read, not mapped: pages of a map count as memory of this process, and a file that shrinks under a map ends it.
/// </summary>
internal sealed class FileContent : Content
{
    private readonly SafeFileHandle _file;

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public FileContent(string path)
    {
        Name = path;
        _file = File.OpenHandle(path);
        Length = RandomAccess.GetLength(_file);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        for (int done = 0, read; done < destination.Length; done += read)
        {
            read = RandomAccess.Read(_file, destination[done..], offset + done);
            if (read == 0) throw TooShort(offset, destination.Length);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();
}
