namespace MLComponents.Models;

/// <summary>Rules out tokens that would complete a run of n tokens that stands in the row, or in its prompt, already.</summary>
internal sealed class NoRepeatNGramProcessor : LogitsProcessor
{
    private readonly int _size;
    private readonly bool _ofPrompt;

    private NoRepeatNGramProcessor(int size, bool ofPrompt, string name)
    {
        if (size < 1) throw new ArgumentOutOfRangeException(name, size, $"{name} must be at least 1, or 0 for no limit.");
        (_size, _ofPrompt) = (size, ofPrompt);
    }

    public static NoRepeatNGramProcessor OfRow(int size) => new(size, false, nameof(GenerationConfig.NoRepeatNgramSize));

    public static NoRepeatNGramProcessor OfPrompt(int size) => new(size, true, nameof(GenerationConfig.EncoderNoRepeatNgramSize));

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        if (context.Ids.Length < _size - 1) return;
        ReadOnlySpan<int> source = _ofPrompt ? context.PromptIds : context.Ids, last = context.Ids[^(_size - 1)..];
        for (int start = 0; start + _size <= source.Length; start++)
            if (source.Slice(start, _size - 1).SequenceEqual(last)) scores[source[start + _size - 1]] = float.NegativeInfinity;
    }
}
