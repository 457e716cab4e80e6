namespace MLComponents.Models;

/// <summary>Files that exist completely or not at all.</summary>
internal static class AtomicFile
{
    private const string TemporaryEnding = ".tmp";

    /// <summary>Writes beside the file and renames, so that a reader never sees half of it and a failure leaves the old one.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        string temporary = WriteBeside(path, write);
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes under another name in the same folder, through to the disk.</summary>
    /// <returns>The path, to be renamed to <paramref name="path"/>; nothing is left behind on failure.</returns>
    public static string WriteBeside(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}{TemporaryEnding}");
        try
        {
            using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
            write(stream);
            stream.Flush(flushToDisk: true);
            return temporary;
        }
        catch (Exception error)
        {
            File.Delete(temporary);

            // .NET's word for a file that is larger than its file system, or its process, may write.
            if (error is ArgumentOutOfRangeException { Source: "System.Private.CoreLib", ParamName: "value" })
                throw new IOException($"{full} would be larger than is allowed there: {error.Message}", error);
            throw;
        }
    }

    /// <summary>Whether a name is one that <see cref="WriteBeside"/> gives: such a file is left where a process ended while it wrote.</summary>
    public static bool IsTemporary(string name) =>
        name.StartsWith('.') && name.EndsWith(TemporaryEnding, StringComparison.Ordinal)
        && name.Split('.') is { Length: >= 4 } parts && Guid.TryParseExact(parts[^2], "N", out _);
}
