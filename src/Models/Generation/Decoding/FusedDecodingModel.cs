using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Generation by kernels that read every weight once for a pass, straight from the model's memory; where <see cref="LongPrompt"/> says so, prompts are read by the
/// forward passes of the model. Where that cannot be done, on other devices, in other element types and with adapters that are not merged, the model's forward passes do everything.
/// </summary>
/// <param name="model">The model.</param>
internal sealed class FusedDecodingModel(CausalLanguageModel model) : IDecodingModel
{
    private readonly Lock _lock = new();
    private readonly TorchDecodingModel _otherwise = new(model);
    private FusedPasses? _passes;
    private FusedWeights? _weights;

    /// <inheritdoc/>
    public DecoderConfig Config => model.Config;

    /// <summary>The width of vectors.</summary>
    public VectorWidth Width { get; init; } = VectorWidths.Best;

    /// <summary>Whether the kernels read copies of the matrices in eight bits.</summary>
    public bool InEightBits { get; init; }

    /// <summary>
    /// From how many tokens on the prompt of a row that begins is read by a forward pass of the model. Where the processor has fast bfloat16
    /// instructions those overtook kernels for few rows at about 40 tokens, elsewhere and in float32 they never do: see <see cref="BFloat16Compute"/>.
    /// </summary>
    public int LongPrompt { get; init; } = model.DType == ScalarType.BFloat16 && BFloat16Compute.IsNative(CPU) ? 33 : int.MaxValue;

    /// <summary>The threads.</summary>
    public WorkerTeam Team { get; init; } = WorkerTeam.Shared;

    /// <summary>The passes, which all who generate at the same time share.</summary>
    public FusedPasses Passes => _passes ?? LazyInitializer.EnsureInitialized(ref _passes, () => new FusedPasses(Team, Width));

    /// <summary>The model.</summary>
    public CausalLanguageModel Model => model;

    /// <inheritdoc/>
    public IDecodingBatch NewBatch(int rows, bool canForget) =>
        CurrentWeights() is { } weights ? new FusedDecodingBatch(this, weights, rows, canForget) : _otherwise.NewBatch(rows, canForget);

    private FusedWeights? CurrentWeights()
    {
        lock (_lock)
        {
            if (_weights?.AreCurrent() == true) return _weights;
            string? whyNot = FusedWeights.WhyNot(model);
            if (whyNot is not null && InEightBits)
            {
                throw new InvalidOperationException(
                    $"The model is to generate in eight bits, but {whyNot}; merge adapters, or set {nameof(CausalLanguageModel.GeneratesInEightBits)} to false.");
            }

            return _weights = whyNot is null ? FusedWeights.Of(model, InEightBits) : null;
        }
    }
}
