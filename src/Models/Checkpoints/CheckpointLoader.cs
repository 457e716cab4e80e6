using System.Text;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Fills a model from a checkpoint: with a head or without, saved from this class or another.</summary>
internal static class CheckpointLoader
{
    /// <summary>
    /// Compares a model with a checkpoint. Nothing is read but names and shapes, so that the model may be one without memory, on the meta device.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="source">The checkpoint.</param>
    /// <param name="freshHead">Whether to leave out the head even if the checkpoint has one.</param>
    /// <param name="ignoreMismatchedSizes">Whether the decoder may lack tensors or have them in other shapes; they are then to be initialised.</param>
    /// <exception cref="FormatException">Tensors of the decoder are missing, or tensors have other shapes, and nobody asked for that; the message lists all of them.</exception>
    /// <exception cref="NotSupportedException">A tensor that the model wants is not stored as floating-point numbers.</exception>
    public static CheckpointMatch Match(PretrainedModel model, TensorSource source, bool freshHead, bool ignoreMismatchedSizes)
    {
        TensorNames names = model.Names;
        var wanted = model.named_parameters().ToDictionary(pair => names.Canonical(pair.name), pair => pair);
        var found = new Dictionary<string, StoredTensor>();
        List<string> unexpected = [], ignored = [], mismatched = [], misshapen = [];
        var places = new Dictionary<string, string>();
        foreach (StoredTensor entry in source.Entries)
        {
            string key = names.Canonical(entry.Name);
            if (!wanted.ContainsKey(key)) key = Modern(key);
            bool isHead = TensorNames.IsHead(key);
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
                places.Add(entry.Name, parameter.name);
            }
        }

        string[] absent = [.. wanted.Keys.Where(key => !found.ContainsKey(key))];
        string[] missing = [.. absent.Where(key => !TensorNames.IsHead(key)).Select(key => wanted[key].name)];
        string[] fresh = [.. absent.Where(TensorNames.IsHead).Select(key => wanted[key].name)];
        if (missing.Length + mismatched.Count > 0 && !ignoreMismatchedSizes)
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

        return new CheckpointMatch(places, new HashSet<string>([.. fresh, .. missing, .. misshapen]), new CheckpointReport(fresh, missing, mismatched, unexpected, ignored));
    }

    /// <summary>Fills a model's parameters, which may be uninitialised; those that the checkpoint has not are initialised.</summary>
    /// <param name="model">The model.</param>
    /// <param name="source">The checkpoint.</param>
    /// <param name="match">What <see cref="Match"/> found for a model of the same configuration.</param>
    /// <param name="seed">The seed of what is initialised.</param>
    public static void Fill(PretrainedModel model, TensorSource source, CheckpointMatch match, long seed)
    {
        Dictionary<string, Parameter> parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        source.ReadAll(entry => match.Places.TryGetValue(entry.Name, out string? place) ? parameters[place] : null);
        WeightInitializer.Initialize(model, model.Config, seed, match.Initialized.Contains);
        model.Report = match.Report;
    }

    /// <summary>Refuses a configuration of more layers than are stored, before a model of so many is made.</summary>
    /// <exception cref="FormatException">There are fewer layers.</exception>
    public static void CheckLayers(DecoderConfig config, TensorSource source)
    {
        TensorNames names = DecoderFamily.Of(config.ModelType, source.Source).Names;
        int stored = source.Entries.Select(entry => names.Canonical(entry.Name).Split('.', 3))
            .Where(parts => parts.Length == 3 && parts[0] == names.Layers).Select(parts => parts[1]).Distinct().Count();
        if (stored < config.LayerCount)
        {
            throw new FormatException(
                $"{source.Source}: the checkpoint does not fit the model that config.json describes: num_hidden_layers is {config.LayerCount}, "
                + $"but tensors of {stored} layers are stored; the others are missing.");
        }
    }

    /// <summary>The present name of what checkpoints converted from TensorFlow call gamma and beta.</summary>
    private static string Modern(string key) =>
        key.EndsWith(".gamma", StringComparison.Ordinal) ? key[..^"gamma".Length] + "weight"
        : key.EndsWith(".beta", StringComparison.Ordinal) ? key[..^"beta".Length] + "bias"
        : key;

    private static string CultureText(string what, IReadOnlyCollection<string> keys) => $"\n  {keys.Count} {what}: {string.Join(", ", keys)}";
}
