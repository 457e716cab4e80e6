using System.Text.Json;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>A checkpoint in several files, with an index that says which tensor is in which file.</summary>
internal sealed class ShardedTensors : TensorSource
{
    private readonly List<TensorSource> _shards = [];

    /// <summary>Opens and checks the index and every file that it names.</summary>
    /// <param name="indexPath">The <c>model.safetensors.index.json</c> or <c>pytorch_model.bin.index.json</c>.</param>
    /// <param name="open">Opens one of the files that it names.</param>
    /// <exception cref="FormatException">The index or a file is broken, a name leads out of the folder, or index and files disagree.</exception>
    /// <exception cref="FileNotFoundException">A file that the index names does not exist.</exception>
    public ShardedTensors(string indexPath, Func<string, TensorSource> open)
    {
        Source = indexPath;
        Dictionary<string, string> map = ReadIndex(indexPath);
        string folder = Path.GetDirectoryName(Path.GetFullPath(indexPath))!;
        try
        {
            foreach (string name in map.Values.Distinct().Order(StringComparer.Ordinal)) Open(folder, name, map, open);
        }
        catch
        {
            Dispose();
            throw;
        }

        Entries = [.. _shards.SelectMany(shard => shard.Entries)];
    }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<StoredTensor> Entries { get; }

    /// <inheritdoc/>
    public override void ReadAll(Func<StoredTensor, torch.Tensor?> destinationOf)
    {
        foreach (TensorSource shard in _shards) shard.ReadAll(destinationOf);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (TensorSource shard in _shards) shard.Dispose();
    }

    private void Open(string folder, string name, Dictionary<string, string> map, Func<string, TensorSource> open)
    {
        if (name.Length == 0 || name is "." or ".." || name.AsSpan().IndexOfAny('/', '\\', '\0') >= 0 || Path.IsPathRooted(name) || name.Contains(':'))
            throw new FormatException($"{Source}: the index names the file '{name}'; expected a file name without a folder.");
        string path = Path.Combine(folder, name);
        if (!File.Exists(path)) throw new FileNotFoundException($"{Source}: the index names {name}, which does not exist in {folder}.", path);
        TensorSource shard = open(path);
        _shards.Add(shard);
        HashSet<string> names = [.. shard.Entries.Select(entry => entry.Name)];
        string[] here = [.. map.Where(pair => pair.Value == name).Select(pair => pair.Key)];
        string[] absent = [.. here.Where(key => !names.Contains(key))];
        if (absent.Length > 0) throw new FormatException($"{path}: the index says that it holds {string.Join(", ", absent)}; it does not.");
        string[] strangers = [.. names.Except(here)];
        if (strangers.Length > 0) throw new FormatException($"{path}: holds {string.Join(", ", strangers)}, which the index does not place here.");
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
                throw new FormatException($"{path}: expected an object with an object 'weight_map' of tensor names and file names.");
            var result = new Dictionary<string, string>();
            foreach (JsonProperty property in map.EnumerateObject())
            {
                if (property.Value.ValueKind != JsonValueKind.String)
                    throw new FormatException($"{path}: the file of tensor '{property.Name}' is {property.Value.GetRawText()}; expected a file name.");
                if (!result.TryAdd(property.Name, property.Value.GetString()!))
                    throw new FormatException($"{path}: tensor '{property.Name}' stands twice in 'weight_map'.");
            }

            return result;
        }
        catch (JsonException exception)
        {
            throw new FormatException($"{path}: not valid JSON: {exception.Message}", exception);
        }
    }
}
