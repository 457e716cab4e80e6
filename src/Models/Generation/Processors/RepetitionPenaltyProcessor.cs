namespace MLComponents.Models;

/// <summary>
/// Makes tokens that stand in the row less likely, once for each: positive scores are divided by the penalty, negative ones multiplied. Keskar et al. 2019, "CTRL".
/// </summary>
internal sealed class RepetitionPenaltyProcessor : LogitsProcessor
{
    private readonly float _penalty;
    private readonly bool _ofPrompt;

    private RepetitionPenaltyProcessor(double penalty, bool ofPrompt, string name)
    {
        if (!(penalty > 0)) throw new ArgumentOutOfRangeException(name, penalty, $"{name} must be above 0; 1 changes nothing.");
        (_penalty, _ofPrompt) = ((float)(ofPrompt ? 1 / penalty : penalty), ofPrompt);
    }

    /// <summary>For all tokens of the row but its padding.</summary>
    public static RepetitionPenaltyProcessor OfRow(double penalty) => new(penalty, false, nameof(GenerationConfig.RepetitionPenalty));

    /// <summary>The other way round, for the tokens of the prompt, padding included.</summary>
    public static RepetitionPenaltyProcessor OfPrompt(double penalty) => new(penalty, true, nameof(GenerationConfig.EncoderRepetitionPenalty));

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        int words = (scores.Length + 63) / 64;
        Span<ulong> done = words <= 4096 ? stackalloc ulong[words] : new ulong[words];
        done.Clear();
        foreach (int id in _ofPrompt ? context.PromptIds : context.Ids[context.PaddingLength..])
        {
            if ((done[id / 64] & (1UL << id)) != 0) continue;
            done[id / 64] |= 1UL << id;
            scores[id] = scores[id] < 0 ? scores[id] * _penalty : scores[id] / _penalty;
        }
    }
}
