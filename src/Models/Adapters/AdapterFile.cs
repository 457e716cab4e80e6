using System.Text;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>An <c>adapter_model.safetensors</c> of PEFT, or an <c>adapter_model.bin</c> of an early one.</summary>
internal static class AdapterFile
{
    public const string FileName = "adapter_model.safetensors";

    /// <summary>What PEFT wrote before.</summary>
    public const string PickleName = "adapter_model.bin";

    /// <summary>Where PEFT's model holds the base.</summary>
    private const string Prefix = "base_model.model.";

    /// <summary>A part of the keys of modules that PEFT keeps beside the copies it trains.</summary>
    private const string Untrained = ".original_module.";

    /// <summary>Opens the weights of a folder.</summary>
    /// <exception cref="FileNotFoundException">There are none.</exception>
    public static TensorSource Open(string folder)
    {
        string path = Path.Combine(folder, FileName), pickled = Path.Combine(folder, PickleName);
        if (File.Exists(path)) return SafetensorsFile.Open(path).AsSource();
        if (File.Exists(pickled)) return TorchFile.Open(pickled);
        throw new FileNotFoundException($"{folder} holds no weights of an adapter; expected {FileName} or {PickleName}.", path);
    }

    /// <summary>Reads an adapter. The model is left as it is, but for the biases and embeddings of the base that the file holds.</summary>
    /// <param name="model">The model.</param>
    /// <param name="plan">What the adapter's configuration means in the model.</param>
    /// <param name="source">The file.</param>
    /// <param name="ignored">Gets the tensors that are passed over.</param>
    /// <param name="check">Throws if a value of the base must not be changed.</param>
    /// <exception cref="FormatException">Tensors are missing, unexpected or of another shape; the message lists all of them.</exception>
    public static AdapterWeights Read(PretrainedModel model, AdapterPlan plan, TensorSource source, List<string> ignored, Action<BaseValue> check)
    {
        Dictionary<string, string> places = Match(model, plan, source, ignored);
        HashSet<string> held = [.. places.Values];
        AdapterWeights weights = AdapterWeights.Create(
            plan, AdapterPlan.Embeddings(model).Where(part => !plan.Copies.Any(copy => copy.Path == part.Path) && held.Contains(plan.WeightName(part))));
        try
        {
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            Dictionary<string, Tensor> destinations = weights.Parameters().ToDictionary(pair => pair.Name, pair => (Tensor)pair.Value);
            foreach (BaseValue value in weights.BaseValues) destinations.Add(value.Name, empty_like(value.Parameter));
            var types = new Dictionary<string, ScalarType>();
            source.ReadAll(entry =>
            {
                if (!places.TryGetValue(entry.Name, out string? place)) return null;
                types[place] = entry.DType;
                return destinations[place];
            });
            BaseValue[] others = [.. weights.BaseValues.Where(value => value.IsTrained || !IsSame(destinations[value.Name], value.Parameter, types[value.Name]))];
            foreach (BaseValue value in others) check(value);
            foreach (BaseValue value in others) value.Change(destinations[value.Name]);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The tensors of an adapter under PEFT's names.</summary>
    public static IEnumerable<KeyValuePair<string, Tensor>> Tensors(AdapterWeights weights) =>
    [
        .. weights.Parameters().Select(pair => KeyValuePair.Create(Prefix + pair.Name, (Tensor)pair.Value)),
        .. weights.BaseValues.Select(value => KeyValuePair.Create(Prefix + value.Name, (Tensor)value.Parameter)),
    ];

    /// <summary>The names that the tensors of a file have here, by the file's own.</summary>
    private static Dictionary<string, string> Match(PretrainedModel model, AdapterPlan plan, TensorSource source, List<string> ignored)
    {
        // Models with different heads, and checkpoints without one, call the decoder differently.
        TensorNames names = model.Names;
        Dictionary<string, (string Name, IReadOnlyList<long> Shape)> wanted = plan.FileTensors().ToDictionary(tensor => names.Canonical(tensor.Name));
        Dictionary<string, (string Name, IReadOnlyList<long> Shape)> welcome = AdapterPlan.Embeddings(model)
            .Select(part => (Name: plan.WeightName(part), Shape: (IReadOnlyList<long>)part.Module.Weight.shape))
            .Where(tensor => !wanted.ContainsKey(names.Canonical(tensor.Name))).ToDictionary(tensor => names.Canonical(tensor.Name));
        var places = new Dictionary<string, string>();
        var found = new Dictionary<string, string>();
        List<string> unexpected = [], mismatched = [];
        foreach (StoredTensor entry in source.Entries)
        {
            string key = entry.Name.StartsWith(Prefix, StringComparison.Ordinal) ? names.Canonical(entry.Name[Prefix.Length..]) : "";
            if (!wanted.TryGetValue(key, out var tensor) && !welcome.TryGetValue(key, out tensor))
                (IsPassedOver(model, entry.Name, key) ? ignored : unexpected).Add(entry.Name);
            else if (!found.TryAdd(key, entry.Name))
                throw new FormatException($"{source.Source}: '{entry.Name}' and '{found[key]}' are the same tensor under two names; expected one of them.");
            else if (entry.DType is not (ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64))
                throw new NotSupportedException($"{source.Source}: '{entry.Name}' is stored as {SafetensorsType.NameOf(entry.DType)}; expected F16, BF16, F32 or F64.");
            else if (!tensor.Shape.SequenceEqual(entry.Shape))
                mismatched.Add($"{entry.Name}: found [{string.Join(", ", entry.Shape)}], expected [{string.Join(", ", tensor.Shape)}]");
            else
                places.Add(entry.Name, tensor.Name);
        }

        string[] missing = [.. wanted.Where(pair => !found.ContainsKey(pair.Key)).Select(pair => Prefix + pair.Value.Name)];
        if (missing.Length + unexpected.Count + mismatched.Count == 0) return places;
        var message = new StringBuilder($"{source.Source}: the adapter does not fit the model and {AdapterConfig.FileName}.");
        List("missing", missing);
        List("of another shape", mismatched);
        List("unexpected", unexpected);
        message.Append("\nExpected is the base model, the head and the number of labels that the adapter was trained with.");
        throw new FormatException(message.ToString());

        void List(string what, IReadOnlyCollection<string> keys)
        {
            if (keys.Count > 0) message.Append($"\n  {keys.Count} {what}: {string.Join(", ", keys)}");
        }
    }

    private static bool IsPassedOver(PretrainedModel model, string name, string key) =>
        name.Contains(Untrained, StringComparison.Ordinal)
        || (model.Config.TieWordEmbeddings && key == model.Names.Canonical($"{model.Names.LanguageModelHead}.weight"));

    /// <summary>Whether a stored value is the base's own, perhaps in a type of fewer bits.</summary>
    private static bool IsSame(Tensor stored, Tensor own, ScalarType type) =>
        stored.equal(own).all().item<bool>() || stored.equal(own.to(type).to(own.dtype)).all().item<bool>();
}
