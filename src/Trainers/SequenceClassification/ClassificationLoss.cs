using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// The cross-entropy of a batch that may be computed in parts: Σ wᵧ (−log softmax(z)ᵧ) / Σ wᵧ over all rows of the batch, as
/// torch.nn.CrossEntropyLoss with class weights and mean reduction.
/// </summary>
internal sealed class ClassificationLoss : IDisposable
{
    private readonly float[]? _weights;
    private readonly Tensor? _weightTensor;

    /// <summary>Creates the loss.</summary>
    /// <param name="weights">What a row of each label counts, or null where all count the same.</param>
    /// <param name="device">Where logits are.</param>
    public ClassificationLoss(float[]? weights, Device device)
    {
        _weights = weights;
        if (weights is not null) _weightTensor = tensor(weights, device: device).DetachFromDisposeScope();
    }

    /// <summary>What a row of a label counts.</summary>
    public double WeightOf(int label) => _weights?[label] ?? 1;

    /// <summary>The part's share of the batch's loss, a float32 scalar.</summary>
    /// <param name="logits">[rows, labels] in any precision.</param>
    /// <param name="labels">[rows] Int64.</param>
    /// <param name="totalWeight">Of the whole batch.</param>
    public Tensor Share(Tensor logits, Tensor labels, double totalWeight) =>
        nn.functional.cross_entropy(logits.to_type(ScalarType.Float32), labels, weight: _weightTensor, reduction: nn.Reduction.Sum) / totalWeight;

    /// <inheritdoc/>
    public void Dispose() => _weightTensor?.Dispose();
}
