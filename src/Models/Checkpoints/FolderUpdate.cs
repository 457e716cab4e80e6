namespace MLComponents.Models;

/// <summary>
/// New files of a folder that appear together. All are written beside the old ones first; then one file, without which nobody reads
/// the folder, is taken away, the others take their places, and its new version comes last. A process that ends in between leaves the old
/// files, or the new ones, or a folder that nobody reads; never some of both.
/// </summary>
/// <param name="folder">The folder; it exists.</param>
/// <param name="gate">The file without which nobody reads the folder.</param>
/// <param name="isStale">Whether a file of that name goes unless it is one of the new ones.</param>
internal sealed class FolderUpdate(string folder, string gate, Func<string, bool> isStale) : IDisposable
{
    /// <summary>Files up to this size are compared with what is there, since a file that stays the same need not be replaced.</summary>
    private const int MostCompared = 1 << 24;

    private readonly List<(string Name, string Temporary)> _files = [];

    /// <summary>Writes a new file under another name.</summary>
    public void Add(string name, Action<Stream> write) => _files.Add((name, AtomicFile.WriteBeside(Path.Combine(folder, name), write)));

    /// <summary>Puts the new files in the places of the old ones.</summary>
    public void Commit()
    {
        foreach (Action step in Steps()) step();
    }

    /// <summary>What <see cref="Commit"/> does, one change of the folder after the other.</summary>
    public IEnumerable<Action> Steps()
    {
        List<(string Name, string Temporary)> changed = [.. _files.Where(file => file.Name == gate || !IsSame(file.Name, file.Temporary))];
        string[] stale = [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Where(name => IsLeftOver(name) || (isStale(name) && !_files.Exists(file => file.Name == name)))];
        bool gateIsSame = changed.Exists(file => file.Name == gate && IsSame(file.Name, file.Temporary));

        // One renaming is a whole: nobody needs to be kept out.
        bool isOne = gateIsSame && changed.Count <= 2 && stale.All(IsLeftOver);
        if (!isOne) yield return () => File.Delete(Path.Combine(folder, gate));
        foreach (var (name, temporary) in changed)
            if (name != gate) yield return () => File.Move(temporary, Path.Combine(folder, name), overwrite: true);
        foreach (string name in stale) yield return () => File.Delete(Path.Combine(folder, name));
        foreach (var (name, temporary) in changed)
            if (name == gate) yield return () => File.Move(temporary, Path.Combine(folder, name), overwrite: true);
    }

    /// <summary>Removes what was not put in place.</summary>
    public void Dispose()
    {
        foreach (var (_, temporary) in _files) File.Delete(temporary);
    }

    private bool IsLeftOver(string name) => AtomicFile.IsTemporary(name) && !_files.Exists(file => Path.GetFileName(file.Temporary) == name);

    private bool IsSame(string name, string temporary)
    {
        var old = new FileInfo(Path.Combine(folder, name));
        return old.Exists && old.Length <= MostCompared && old.Length == new FileInfo(temporary).Length
            && File.ReadAllBytes(old.FullName).AsSpan().SequenceEqual(File.ReadAllBytes(temporary));
    }
}
