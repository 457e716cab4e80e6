namespace MLComponents.Models;

/// <summary>Rules out tokens that a constraint on the text does not allow, and those behind which it could not be finished in time.</summary>
/// <param name="constraint">The constraint.</param>
/// <param name="maxLength">The most tokens of a row, padding and prompt included.</param>
/// <param name="eosIds">The ids that end a row.</param>
internal sealed class ConstraintProcessor(OutputConstraint constraint, int maxLength, int[] eosIds) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores) => constraint.Apply(context.NewIds, maxLength - context.Ids.Length, eosIds, scores);
}
