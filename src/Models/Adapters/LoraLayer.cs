using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The matrices of one adapter for one module, and perhaps its magnitudes.</summary>
/// <remarks>
/// With Δ = scaling · B A the module's weight W counts as W + Δ; with magnitudes m as m / ‖W + Δ‖ · (W + Δ), the norm taken of each output and, as the
/// authors propose, without gradient (DoRA, section 4.3). Δ is formed for the norm and for merging only.
/// </remarks>
internal abstract class LoraLayer
{
    private protected LoraLayer(LoraTarget target, Parameter a, Parameter b, Parameter? magnitude) => (Target, A, B, Magnitude) = (target, a, b, magnitude);

    public LoraTarget Target { get; }

    /// <summary><c>[rank, in]</c>.</summary>
    public Parameter A { get; }

    /// <summary><c>[out, rank]</c>.</summary>
    public Parameter B { get; }

    /// <summary><c>[out]</c>, or null.</summary>
    public Parameter? Magnitude { get; }

    /// <summary>The element type that the matrices are kept in: single precision even where the model has less.</summary>
    public static ScalarType TypeFor(ScalarType model) => model == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    /// <summary>What the tensors of a target are called below its module and in files, and their shapes: A, B, and the magnitudes if it has them.</summary>
    public static IReadOnlyList<LoraTensor> TensorsOf(LoraTarget target)
    {
        bool isEmbedding = target.Module is TokenEmbedding;
        long[] shape = target.Module.Weight.shape;

        // An embedding is the transposed matrix of a linear layer that reads one-hot ids.
        (long inWidth, long outWidth) = isEmbedding ? (shape[0], shape[1]) : (shape[1], shape[0]);
        List<LoraTensor> tensors = isEmbedding
            ? [new("lora_embedding_A.{0}", "lora_embedding_A", [target.Rank, inWidth]), new("lora_embedding_B.{0}", "lora_embedding_B", [outWidth, target.Rank])]
            : [new("lora_A.{0}.weight", "lora_A.weight", [target.Rank, inWidth]), new("lora_B.{0}.weight", "lora_B.weight", [outWidth, target.Rank])];
        if (target.HasMagnitude) tensors.Add(new("lora_magnitude_vector.{0}.weight", "lora_magnitude_vector", [outWidth]));
        return tensors;
    }

    /// <summary>Uninitialised matrices beside the module's weight.</summary>
    /// <param name="target">What to adapt.</param>
    /// <param name="dropout">The part of the input that is dropped in training.</param>
    public static LoraLayer Create(LoraTarget target, double dropout)
    {
        Tensor weight = target.Module.Weight;
        Parameter[] tensors = [.. TensorsOf(target).Select(tensor => NewParameter(empty([.. tensor.Shape], TypeFor(weight.dtype), weight.device)))];
        Parameter? magnitude = target.HasMagnitude ? tensors[2] : null;
        return target.Module is TokenEmbedding
            ? new LoraEmbedding(target, tensors[0], tensors[1], magnitude)
            : new LoraLinear(target, tensors[0], tensors[1], magnitude, dropout);
    }

    /// <summary>A parameter that outlives the dispose scope it is made in.</summary>
    public static Parameter NewParameter(Tensor value)
    {
        var parameter = new Parameter(value);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>The tensors with their names.</summary>
    public IEnumerable<(LoraTensor Name, Parameter Value)> Tensors() =>
        TensorsOf(Target).Zip(new[] { A, B, Magnitude }.OfType<Parameter>(), (name, value) => (name, value));

    /// <summary>Gives fresh matrices their values; magnitudes so that they change nothing.</summary>
    public void Initialize(LoraInitialization how, Generator generator)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        InitializeMatrices(how, generator);
        Magnitude?.copy_(Norm(Target.Module.Weight));
    }

    /// <summary>Adds the adapter to what the module has computed.</summary>
    /// <param name="input">The module's input.</param>
    /// <param name="result">What the module gives for it, perhaps with other adapters; single precision or the module's own type.</param>
    /// <returns>The sum in the matrices' type, in the current dispose scope.</returns>
    public abstract Tensor Forward(Tensor input, Tensor result);

    /// <summary>The weight with the adapter in it.</summary>
    /// <param name="weight">The module's weight, perhaps with other adapters in it; in the matrices' type.</param>
    /// <returns>In the current dispose scope.</returns>
    public Tensor Merge(Tensor weight)
    {
        Tensor merged = AddTo(weight);
        return Magnitude is null ? merged : merged * AlongOutputs(Factor());
    }

    public void Dispose()
    {
        foreach (var (_, value) in Tensors())
        {
            value.grad?.Dispose();
            value.Dispose();
        }
    }

    /// <summary>What the magnitudes multiply each output with, <c>[out]</c>; a gradient flows to them alone.</summary>
    private protected Tensor Factor() => Magnitude! / Norm(Target.Module.Weight);

    /// <summary>W + Δ.</summary>
    private protected abstract Tensor AddTo(Tensor weight);

    /// <summary>The dimension of W that outputs are not numbered along.</summary>
    private protected abstract int InputDimension { get; }

    private protected abstract void InitializeMatrices(LoraInitialization how, Generator generator);

    /// <summary>‖W + Δ‖ of each output, <c>[out]</c>.</summary>
    private Tensor Norm(Tensor weight)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return AddTo(weight.to(A.dtype)).norm(InputDimension).MoveToOuterDisposeScope();
    }

    /// <summary>Makes <c>[out]</c> multiply W.</summary>
    private Tensor AlongOutputs(Tensor values) => values.unsqueeze(InputDimension);
}

/// <summary>What a tensor of an adapter is called.</summary>
/// <param name="Name">Below its module, with {0} for the adapter's name.</param>
/// <param name="FileName">Below its module in a file.</param>
/// <param name="Shape">Its shape.</param>
internal sealed record LoraTensor(string Name, string FileName, IReadOnlyList<long> Shape)
{
    public string NameIn(string adapter) => Name.Replace("{0}", adapter, StringComparison.Ordinal);
}
