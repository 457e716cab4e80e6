using System.Globalization;
using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>The checkpoints of a run: files that are there whole or not at all, of which the newest ones are kept.</summary>
/// <param name="folder">Where they are.</param>
/// <param name="kept">How many are kept, at least 1.</param>
internal sealed class CheckpointFolder(string folder, int kept)
{
    private const string Prefix = "checkpoint-", Ending = ".safetensors";

    /// <summary>Makes the folder ready and removes what a process that was killed while writing has left.</summary>
    /// <exception cref="IOException">The folder cannot be made or written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Prepare()
    {
        Directory.CreateDirectory(folder);
        foreach (string path in Directory.EnumerateFiles(folder, ".*").Where(path => AtomicFile.IsTemporary(Path.GetFileName(path)))) File.Delete(path);
        File.Delete(AtomicFile.WriteBeside(Path.Combine(folder, "probe"), stream => stream.WriteByte(0)));
    }

    /// <summary>The paths of all checkpoints, that of the latest step first.</summary>
    public IReadOnlyList<string> NewestFirst() => !Directory.Exists(folder) ? [] :
    [
        .. from path in Directory.EnumerateFiles(folder, $"{Prefix}*{Ending}")
           let name = Path.GetFileName(path)
           let step = name[Prefix.Length..^Ending.Length]
           where step.All(char.IsAsciiDigit)
           orderby long.Parse(step, CultureInfo.InvariantCulture) descending
           select path,
    ];

    /// <summary>Writes a checkpoint and then removes the oldest. Where it cannot be written, the earlier ones stay.</summary>
    /// <exception cref="IOException">The disk is full, or the folder is gone.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to any more.</exception>
    public void Write(long step, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        SafetensorsWriter.Write(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D8}{Ending}")), tensors);
        foreach (string old in NewestFirst().Skip(kept)) File.Delete(old);
    }

    /// <summary>Removes all checkpoints: the run has come to its end.</summary>
    public void Clear()
    {
        foreach (string path in NewestFirst()) File.Delete(path);
    }
}
