using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// The cross-entropy of a batch that may be computed in parts: Σ wᵧ (−log softmax(z)ᵧ) / Σ wᵧ over all rows of the batch, as
/// torch.nn.CrossEntropyLoss with class weights, label smoothing and mean reduction; or, with a focus γ, the focal loss
/// Σ wᵧ (1 − p)ᵞ (−log p) / Σ wᵧ for p = softmax(z)ᵧ (Lin et al. 2017, equation 5).
/// </summary>
internal sealed class ClassificationLoss : IDisposable
{
    private readonly float[]? _weights;
    private readonly Tensor? _weightTensor;
    private readonly double _labelSmoothing, _focus;

    /// <summary>Creates the loss.</summary>
    /// <param name="weights">What a row of each label counts, or null where all count the same.</param>
    /// <param name="device">Where logits are.</param>
    /// <param name="labelSmoothing">The part of a row's probability, 0 to 1, that is spread over all labels. Not together with a focus.</param>
    /// <param name="focus">γ, at least 0: how much rows that are right already are disregarded.</param>
    public ClassificationLoss(float[]? weights, Device device, double labelSmoothing = 0, double focus = 0)
    {
        (_weights, _labelSmoothing, _focus) = (weights, labelSmoothing, focus);
        if (weights is not null) _weightTensor = tensor(weights, device: device).DetachFromDisposeScope();
    }

    /// <summary>What a row of a label counts.</summary>
    public double WeightOf(int label) => _weights?[label] ?? 1;

    /// <summary>The part's share of the batch's loss, a float32 scalar.</summary>
    /// <param name="logits">[rows, labels] in any precision.</param>
    /// <param name="labels">[rows] Int64.</param>
    /// <param name="totalWeight">Of the whole batch.</param>
    public Tensor Share(Tensor logits, Tensor labels, double totalWeight)
    {
        Tensor scores = logits.to_type(ScalarType.Float32);
        if (_focus == 0)
            return nn.functional.cross_entropy(scores, labels, weight: _weightTensor, reduction: nn.Reduction.Sum, label_smoothing: _labelSmoothing) / totalWeight;
        Tensor logProbabilities = nn.functional.log_softmax(scores, -1).gather(1, labels.unsqueeze(1)).squeeze(1);
        Tensor losses = -(1 - logProbabilities.exp()).pow(_focus) * logProbabilities;
        return (_weightTensor is null ? losses : losses * _weightTensor.index_select(0, labels)).sum() / totalWeight;
    }

    /// <inheritdoc/>
    public void Dispose() => _weightTensor?.Dispose();
}
