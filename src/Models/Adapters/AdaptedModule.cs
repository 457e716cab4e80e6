using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A module of the model with everything that the model's adapters have for it.</summary>
internal sealed class AdaptedModule(NamedModule part)
{
    private readonly Dictionary<string, LoraLayer> _layers = [];
    private readonly Dictionary<string, TrainedCopy> _copies = [];
    private Tensor? _original;

    public string Path => part.Path;

    public bool IsEmpty => _layers.Count + _copies.Count == 0;

    private WeightedModule Module => part.Module;

    public void Add(string adapter, LoraLayer layer)
    {
        _layers.Add(adapter, layer);
        foreach (var (name, value) in layer.Tensors()) ParameterTree.Attach(Module, name.NameIn(adapter), value);
    }

    public void Add(string adapter, TrainedCopy copy)
    {
        _copies.Add(adapter, copy);
        foreach (var (name, value) in copy.Parameters()) ParameterTree.Attach(Module, $"modules_to_save.{adapter}.{name}", value);
    }

    /// <summary>Takes an adapter's parameters out of the model; they live on.</summary>
    public void Remove(string adapter)
    {
        if (_layers.Remove(adapter, out LoraLayer? layer))
            foreach (var (name, _) in layer.Tensors()) ParameterTree.Detach(Module, name.NameIn(adapter));
        if (_copies.Remove(adapter, out TrainedCopy? copy))
            foreach (var (name, _) in copy.Parameters()) ParameterTree.Detach(Module, $"modules_to_save.{adapter}.{name}");
    }

    /// <summary>Why several adapters cannot be in force together here, or null.</summary>
    public string? WhyNotTogether(IReadOnlyList<string> adapters)
    {
        string[] copies = [.. adapters.Where(_copies.ContainsKey)];
        string[] all = [.. adapters.Where(name => _copies.ContainsKey(name) || _layers.ContainsKey(name))];
        return copies.Length > 0 && all.Length > 1 ? $"{Path} is trained whole by {string.Join(", ", copies)} and adapted by {string.Join(", ", all)}" : null;
    }

    /// <summary>Makes the module compute with some of the adapters, in this order.</summary>
    /// <param name="adapters">Which.</param>
    /// <param name="areMerged">Whether their matrices are in the weights already.</param>
    public void Use(IReadOnlyList<string> adapters, bool areMerged)
    {
        LoraLayer[] layers = areMerged ? [] : [.. adapters.Where(_layers.ContainsKey).Select(name => _layers[name])];
        TrainedCopy? copy = adapters.Where(_copies.ContainsKey).Select(name => _copies[name]).FirstOrDefault();
        Module.Adapted = copy is not null ? input => Module.Compute(input, copy.Weight, copy.Bias)
            : layers.Length > 0 ? input => Compute(input, layers)
            : null;
    }

    /// <summary>The weight with adapters in it, in the model's type, in the current dispose scope; null if none of them is for this module.</summary>
    public Tensor? Merged(IReadOnlyList<string> adapters)
    {
        LoraLayer[] layers = [.. adapters.Where(_layers.ContainsKey).Select(name => _layers[name])];
        if (layers.Length == 0) return null;
        Tensor weight = Module.Weight.to(layers[0].A.dtype);
        foreach (LoraLayer layer in layers) weight = layer.Merge(weight);
        return weight.to(Module.Weight.dtype);
    }

    /// <summary>Whether the weight is an embedding, which a head may share.</summary>
    public bool IsEmbedding => Module is TokenEmbedding;

    /// <summary>Puts adapters into the weight.</summary>
    /// <param name="adapters">Which.</param>
    /// <param name="keepOriginal">Whether to keep the weight as it was, to come back to it.</param>
    public void Merge(IReadOnlyList<string> adapters, bool keepOriginal)
    {
        using var scope = NewDisposeScope();
        if (Merged(adapters) is not { } merged) return;
        if (keepOriginal) _original = Module.Weight.clone().DetachFromDisposeScope();
        Module.Weight.copy_(merged);
    }

    /// <summary>Brings the weight back, bit by bit.</summary>
    public void Unmerge()
    {
        if (_original is null) return;
        Module.Weight.copy_(_original);
        Release();
    }

    /// <summary>Makes an adapter's copy the module's own.</summary>
    public void Adopt(string adapter)
    {
        if (!_copies.TryGetValue(adapter, out TrainedCopy? copy)) return;
        Module.Weight.copy_(copy.Weight);
        Module.Bias?.copy_(copy.Bias!);
    }

    /// <summary>Forgets the weight as it was before it was merged.</summary>
    public void Release()
    {
        _original?.Dispose();
        _original = null;
    }

    /// <summary>The module's own result in its own precision, the adapters' in theirs; their sum is rounded once, as in PEFT.</summary>
    private Tensor Compute(Tensor input, LoraLayer[] layers)
    {
        using var scope = NewDisposeScope();
        Tensor plain = Module.Compute(input, Module.Weight, Module.Bias);
        Tensor result = plain;
        foreach (LoraLayer layer in layers) result = layer.Forward(input, result);
        return result.to(plain.dtype).MoveToOuterDisposeScope();
    }
}
