using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The cross entropy of heads that choose one class of several, in single precision.</summary>
internal static class CrossEntropy
{
    /// <summary>The label of a position that a loss leaves out.</summary>
    public const long IgnoredLabel = -100;

    /// <summary>The mean over the rows that have a label.</summary>
    /// <param name="logits"><c>[rows, classes]</c>.</param>
    /// <param name="labels"><c>[rows]</c>, Int64.</param>
    /// <param name="classWeights"><c>[classes]</c>, or null where all count the same; see torch.nn.CrossEntropyLoss.</param>
    /// <param name="labelSmoothing">From 0 to 1.</param>
    /// <param name="ignoredLabel">The label of rows that do not count.</param>
    /// <returns>A scalar; NaN if no row has a label.</returns>
    public static Tensor Mean(Tensor logits, Tensor labels, Tensor? classWeights = null, double labelSmoothing = 0, long ignoredLabel = IgnoredLabel)
    {
        if (!(labelSmoothing is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "Expected from 0 to 1.");
        Tensor scores = logits.to(ScalarType.Float32);
        return nn.functional.cross_entropy(scores, labels, Weights(classWeights, scores)!, ignore_index: ignoredLabel, label_smoothing: labelSmoothing);
    }

    /// <summary>The weights where and as the scores are.</summary>
    public static Tensor? Weights(Tensor? classWeights, Tensor scores) => classWeights?.to(ScalarType.Float32, scores.device);
}
