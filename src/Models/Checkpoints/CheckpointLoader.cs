using System.Text;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Fills a model from a checkpoint: with a head or without, saved from this class or another.</summary>
internal static class CheckpointLoader
{
    /// <summary>Fills every parameter that the checkpoint has; those of the head that it has not are initialised.</summary>
    /// <param name="model">The model; its parameters may be uninitialised.</param>
    /// <param name="source">The checkpoint.</param>
    /// <param name="freshHead">Whether to initialise the head even if the checkpoint has one.</param>
    /// <param name="options">The seed of what is initialised, and whether that may be more than the head.</param>
    /// <exception cref="FormatException">Tensors of the decoder are missing, or tensors have other shapes, and nobody asked for that; the message lists all of them.</exception>
    /// <exception cref="NotSupportedException">A tensor that the model wants is not stored as floating-point numbers.</exception>
    public static CheckpointReport Fill(PretrainedModel model, TensorSource source, bool freshHead, ModelStorage options)
    {
        TensorNames names = model.Names;
        var wanted = model.named_parameters().ToDictionary(pair => Canonical(pair.name, names), pair => pair);
        var found = new Dictionary<string, StoredTensor>();
        List<string> unexpected = [], ignored = [], mismatched = [], misshapen = [];
        var places = new Dictionary<string, Parameter>();
        foreach (StoredTensor entry in source.Entries)
        {
            string key = Canonical(entry.Name, names);
            if (!wanted.ContainsKey(key)) key = Modern(key);
            bool isHead = IsHead(key);
            if (names.IgnoredEndings.Any(ending => entry.Name.EndsWith(ending, StringComparison.Ordinal)) || (isHead && freshHead))
            {
                ignored.Add(entry.Name);
            }
            else if (!wanted.TryGetValue(key, out var parameter))
            {
                (isHead ? ignored : unexpected).Add(entry.Name);
            }
            else if (!found.TryAdd(key, entry))
            {
                throw new FormatException($"{source.Source}: '{entry.Name}' and '{found[key].Name}' are the same tensor under two names; expected one of them.");
            }
            else if (entry.DType is not (ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64))
            {
                throw new NotSupportedException(
                    $"{source.Source}: '{entry.Name}' is stored as {SafetensorsType.NameOf(entry.DType)}; expected F16, BF16, F32 or F64. Quantized weights are not supported.");
            }
            else if (!parameter.parameter.shape.AsSpan().SequenceEqual([.. entry.Shape]))
            {
                mismatched.Add($"{entry.Name}: found [{string.Join(", ", entry.Shape)}], expected [{string.Join(", ", parameter.parameter.shape)}]");
                misshapen.Add(parameter.name);
            }
            else
            {
                places.Add(entry.Name, parameter.parameter);
            }
        }

        string[] absent = [.. wanted.Keys.Where(key => !found.ContainsKey(key))];
        string[] missing = [.. absent.Where(key => !IsHead(key)).Select(key => wanted[key].name)];
        string[] fresh = [.. absent.Where(IsHead).Select(key => wanted[key].name)];
        if (missing.Length + mismatched.Count > 0 && !options.IgnoreMismatchedSizes)
        {
            var message = new StringBuilder($"{source.Source}: the checkpoint does not fit the model that config.json describes.");
            List("missing", missing);
            List("of another shape", mismatched);
            List("unexpected", unexpected);
            List("ignored", ignored);
            throw new FormatException(message.ToString());

            void List(string what, IReadOnlyCollection<string> keys)
            {
                if (keys.Count > 0) message.Append(CultureText(what, keys));
            }
        }

        source.ReadAll(entry => places.GetValueOrDefault(entry.Name));
        HashSet<string> initialized = [.. fresh, .. missing, .. misshapen];
        WeightInitializer.Initialize(model, model.Config, options.Seed, initialized.Contains);
        return new CheckpointReport(fresh, missing, mismatched, unexpected, ignored);
    }

    /// <summary>
    /// Refuses a configuration that asks for more memory than the checkpoint can fill, before the memory is asked for. Only what decides
    /// about the amount is compared; <see cref="Fill"/> compares everything.
    /// </summary>
    /// <exception cref="FormatException">A size of the configuration is larger than the checkpoint's tensors, or they are not there.</exception>
    public static void CheckSizes(DecoderConfig config, TensorSource source)
    {
        TensorNames names = DecoderFamily.Of(config.ModelType, source.Source).Names;
        var stored = new Dictionary<string, StoredTensor>();
        var layers = new HashSet<string>();
        foreach (StoredTensor entry in source.Entries)
        {
            string key = Canonical(entry.Name, names);
            stored.TryAdd(key, entry);
            string[] parts = key.Split('.', 3);
            if (parts.Length == 3 && parts[0] == names.Layers) layers.Add(parts[1]);
        }

        var faults = new List<string>();
        string embedding = $"{names.TokenEmbedding}.weight", layer = $"{names.Layers}.0";
        if (!stored.ContainsKey(embedding)) faults.Add($"{embedding} is missing");
        Compare(embedding, config.VocabularySize, config.HiddenSize);
        Compare($"{layer}.{names.Attention}.{names.Query}.weight", (long)config.HeadCount * config.HeadSize, config.HiddenSize);
        Compare($"{layer}.{names.FeedForward}.{names.Up}.weight", config.IntermediateSize, config.HiddenSize);
        if (layers.Count < config.LayerCount) faults.Add($"num_hidden_layers is {config.LayerCount}, but tensors of {layers.Count} layers are stored; the others are missing");
        if (faults.Count > 0)
            throw new FormatException($"{source.Source}: the checkpoint does not fit the model that config.json describes.\n  {string.Join("\n  ", faults)}");

        void Compare(string key, long rows, long columns)
        {
            if (stored.TryGetValue(key, out StoredTensor? entry) && (entry.Shape.Count != 2 || entry.Shape[0] < rows || entry.Shape[1] < columns))
                faults.Add($"{entry.Name}: found [{string.Join(", ", entry.Shape)}], expected [{rows}, {columns}]");
        }
    }

    private static string CultureText(string what, IReadOnlyCollection<string> keys) => $"\n  {keys.Count} {what}: {string.Join(", ", keys)}";

    private static bool IsHead(string canonical) => canonical.StartsWith('^');

    /// <summary>The present name of what checkpoints converted from TensorFlow call gamma and beta.</summary>
    private static string Modern(string key) =>
        key.EndsWith(".gamma", StringComparison.Ordinal) ? key[..^"gamma".Length] + "weight"
        : key.EndsWith(".beta", StringComparison.Ordinal) ? key[..^"beta".Length] + "bias"
        : key;

    /// <summary>A key with the decoder's name, whichever of its names it is, taken off; a head's key is marked with ^.</summary>
    private static string Canonical(string key, TensorNames names)
    {
        foreach (string prefix in names.AllBases)
            if (key.StartsWith(prefix, StringComparison.Ordinal) && key.Length > prefix.Length && key[prefix.Length] == '.') return key[(prefix.Length + 1)..];
        string first = key.Split('.', 2)[0];
        return names.AllHeads.Contains(first) ? "^" + key : key;
    }
}
