using System.Buffers;

namespace MLComponents.Models;

/// <summary>
/// Keeps tokens with at least a probability ε (epsilon sampling), or with at least <c>min(ε, √ε · exp(−entropy))</c> (eta sampling). Hewitt et al. 2022, "Truncation
/// Sampling as Language Model Desmoothing".
/// </summary>
internal sealed class CutoffProcessor : LogitsProcessor
{
    private readonly double _epsilon;
    private readonly bool _followsEntropy;
    private readonly int _minTokensToKeep;

    private CutoffProcessor(double epsilon, bool followsEntropy, int minTokensToKeep, string name)
    {
        if (!(epsilon > 0 && epsilon < 1)) throw new ArgumentOutOfRangeException(name, epsilon, $"{name} must be above 0 and below 1, or 0 to keep all tokens.");
        (_epsilon, _followsEntropy, _minTokensToKeep) = (epsilon, followsEntropy, minTokensToKeep);
    }

    public static CutoffProcessor Epsilon(double epsilon, int minTokensToKeep = 1) => new(epsilon, false, minTokensToKeep, nameof(GenerationConfig.EpsilonCutoff));

    public static CutoffProcessor Eta(double epsilon, int minTokensToKeep = 1) => new(epsilon, true, minTokensToKeep, nameof(GenerationConfig.EtaCutoff));

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(scores.Length);
        Span<float> probabilities = rented.AsSpan(0, scores.Length);
        ScoreMath.Softmax(scores, probabilities);
        double limit = _followsEntropy ? Math.Min(_epsilon, Math.Sqrt(_epsilon) * Math.Exp(-ScoreMath.Entropy(probabilities))) : _epsilon;
        float kept = ScoreMath.Largest(scores, Math.Min(_minTokensToKeep, scores.Length));
        for (int index = 0; index < scores.Length; index++)
            if (probabilities[index] < limit && scores[index] < kept) scores[index] = float.NegativeInfinity;
        ArrayPool<float>.Shared.Return(rented);
    }
}
