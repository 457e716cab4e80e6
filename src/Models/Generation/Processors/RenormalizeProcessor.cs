namespace MLComponents.Models;

/// <summary>Makes scores log probabilities.</summary>
internal sealed class RenormalizeProcessor : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores) => ScoreMath.LogSoftmax(scores);
}
