using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MLComponents.Trainers;

/// <summary>Bytes that belong to texts: in memory up to a bound, beyond it in a temporary file, if there may be one.</summary>
/// <param name="mostBytes">Most bytes in memory.</param>
/// <param name="openFile">Opens the file, which is gone once it is closed; null where there is to be none.</param>
internal sealed class TextStates(long mostBytes, Func<Stream>? openFile) : IDisposable
{
    /// <summary>About what an entry takes beside its bytes.</summary>
    private const int EntryBytes = 96;

    private readonly Dictionary<UInt128, Place> _places = [];
    private Stream? _file;
    private bool _isClosed = openFile is null, _hasWarned;

    /// <summary>Told when the file does not serve as it should.</summary>
    public event Action<string>? Warned;

    /// <summary>Texts that there are bytes of.</summary>
    public int Count => _places.Count;

    /// <summary>Bytes in memory.</summary>
    public long BytesInMemory { get; private set; }

    /// <summary>Bytes in the file.</summary>
    public long BytesInFile { get; private set; }

    /// <summary>Opens a temporary file in a folder, which is made if need be. No file is left behind, however the process ends, where the system lets open files be deleted.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static Stream OpenTemporary(string folder)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $".states-{Guid.NewGuid():N}.tmp");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, Options = FileOptions.DeleteOnClose | FileOptions.RandomAccess,
        });
        if (!OperatingSystem.IsWindows()) File.Delete(path);
        return file;
    }

    /// <summary>Half of the SHA-256 of the ids: keys that do not keep the texts, and that no two texts share.</summary>
    public static UInt128 KeyOf(int[] text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan()), hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }

    /// <summary>Whether there are bytes of a text.</summary>
    public bool Contains(int[] text) => _places.ContainsKey(KeyOf(text));

    /// <summary>Takes the bytes of a text up; false where they find no room.</summary>
    public bool Add(int[] text, ReadOnlySpan<byte> bytes)
    {
        if (BytesInMemory + bytes.Length + EntryBytes <= mostBytes)
        {
            _places[KeyOf(text)] = new Place(bytes.ToArray(), 0);
            BytesInMemory += bytes.Length + EntryBytes;
            return true;
        }

        if (_isClosed) return false;
        try
        {
            _file ??= openFile!();
            _file.Position = BytesInFile;
            _file.Write(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _isClosed = true;
            Warn("written", error);
            return false;
        }

        _places[KeyOf(text)] = new Place(null, BytesInFile);
        BytesInFile += bytes.Length;
        return true;
    }

    /// <summary>Reads the bytes of a text; false where there are none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="bytes">Where to; as many as were taken up.</param>
    public bool Read(int[] text, Span<byte> bytes)
    {
        UInt128 key = KeyOf(text);
        if (!_places.TryGetValue(key, out Place place)) return false;
        if (place.Bytes is not null)
        {
            place.Bytes.CopyTo(bytes);
            return true;
        }

        try
        {
            _file!.Position = place.Start;
            _file.ReadExactly(bytes);
            return true;
        }
        catch (IOException error)
        {
            _places.Remove(key);
            Warn("read", error);
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _places.Clear();
    }

    private void Warn(string what, Exception error)
    {
        if (_hasWarned) return;
        _hasWarned = true;
        Warned?.Invoke($"States of frozen layers could not be {what} in {nameof(FineTuningOptions.PrefixCacheFolder)}: {error.Message} They are computed anew where they are needed; nothing is lost but time.");
    }

    private readonly record struct Place(byte[]? Bytes, long Start);
}
