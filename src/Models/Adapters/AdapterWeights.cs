using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The tensors of an adapter.</summary>
internal sealed class AdapterWeights
{
    private AdapterWeights(IReadOnlyList<LoraLayer> layers, IReadOnlyList<(NamedModule Part, TrainedCopy Copy)> copies, IReadOnlyList<BaseValue> baseValues) =>
        (Layers, Copies, BaseValues) = (layers, copies, baseValues);

    public IReadOnlyList<LoraLayer> Layers { get; }

    public IReadOnlyList<(NamedModule Part, TrainedCopy Copy)> Copies { get; }

    public IReadOnlyList<BaseValue> BaseValues { get; }

    /// <summary>Uninitialised matrices, copies with the base's values.</summary>
    /// <param name="plan">What to adapt.</param>
    /// <param name="embeddings">The modules of the base whose weight is stored with the adapter.</param>
    public static AdapterWeights Create(AdapterPlan plan, IEnumerable<NamedModule> embeddings) => new(
        [.. plan.Targets.Select(target => LoraLayer.Create(target, plan.Options.Dropout))],
        [.. plan.Copies.Select(part => (part, new TrainedCopy(part.Module)))],
        [
            .. plan.Biases.Select(part => new BaseValue(plan.BiasName(part), part.Module.Bias!, IsTrained: true)),
            .. embeddings.Select(part => new BaseValue(plan.WeightName(part), part.Module.Weight, IsTrained: false)),
        ]);

    /// <summary>The adapter's own parameters, with their names in a file.</summary>
    public IEnumerable<(string Name, Parameter Value)> Parameters() =>
    [
        .. from layer in Layers from tensor in layer.Tensors() select ($"{layer.Target.Path}.{tensor.Name.FileName}", tensor.Value),
        .. from pair in Copies from tensor in pair.Copy.Parameters() select ($"{pair.Part.Path}.{tensor.Name}", tensor.Value),
    ];

    /// <summary>Gives the matrices their first values. Equal seeds give equal ones.</summary>
    public void Initialize(LoraInitialization how, long seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        foreach (LoraLayer layer in Layers) layer.Initialize(how, generator);
        foreach (BaseValue bias in BaseValues.Where(value => value.IsTrained)) bias.Change(null);
    }

    /// <summary>Says which parameters are trained.</summary>
    /// <param name="matrices">Whether the matrices are.</param>
    /// <param name="others">Whether biases and whole modules are.</param>
    public void SetTrained(bool matrices, bool others)
    {
        foreach (LoraLayer layer in Layers)
            foreach (var (_, value) in layer.Tensors()) value.requires_grad = matrices;
        foreach (var (_, copy) in Copies)
            foreach (var (_, value) in copy.Parameters()) value.requires_grad = others;
        foreach (BaseValue value in BaseValues.Where(value => value.IsTrained)) value.Parameter.requires_grad = others;
    }

    public void Dispose()
    {
        foreach (LoraLayer layer in Layers) layer.Dispose();
        foreach (var (_, copy) in Copies) copy.Dispose();
    }
}
