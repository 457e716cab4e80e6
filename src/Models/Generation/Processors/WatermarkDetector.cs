namespace MLComponents.Models;

/// <summary>Finds out whether a text carries a watermark: whether more of its tokens are green than chance explains.</summary>
/// <param name="vocabularySize">The number of token ids of the model that may have written the text.</param>
/// <param name="watermark">The watermark, as it was set for writing.</param>
/// <param name="bosTokenId">An id that begins texts and is left out of the count, or null.</param>
/// <param name="ignoreRepeatedNgrams">Whether a run of tokens that appears several times counts once.</param>
public sealed class WatermarkDetector(int vocabularySize, Watermark watermark, int? bosTokenId = null, bool ignoreRepeatedNgrams = false)
{
    private readonly WatermarkProcessor _processor = new(watermark, vocabularySize);

    /// <summary>Looks at a text.</summary>
    /// <param name="ids">Its tokens, best without the prompt.</param>
    /// <param name="zThreshold">How many standard deviations above chance count as a watermark.</param>
    /// <exception cref="ArgumentException">There are too few tokens, or ids that the model does not have.</exception>
    public WatermarkDetection Detect(IReadOnlyList<int> ids, double zThreshold = 3)
    {
        ArgumentNullException.ThrowIfNull(ids);
        int[] text = [.. ids];
        if (text.Length > 0 && text[0] == bosTokenId) text = text[1..];
        if (text.Length - watermark.ContextWidth < 1)
            throw new ArgumentException($"The text has {text.Length} tokens; expected more than the {watermark.ContextWidth} that green lists depend on.", nameof(ids));
        if (Array.Find(text, id => id < 0 || id >= vocabularySize) is not 0 and var wrong)
            throw new ArgumentException($"The text has the id {wrong}; expected from 0 to {vocabularySize - 1}.", nameof(ids));

        // With self-hashing, the token is one of those that its list depends on.
        int size = watermark.ContextWidth + (watermark.SelfHash ? 0 : 1);
        IEnumerable<ValueList<int>> runs = Enumerable.Range(0, text.Length - size + 1).Select(start => new ValueList<int>(text[start..(start + size)]));
        if (ignoreRepeatedNgrams) runs = runs.Distinct();
        int count = 0, green = 0;
        foreach (ValueList<int> run in runs)
        {
            int[] tokens = [.. run];
            count++;
            if (_processor.IsGreen(watermark.SelfHash ? tokens : tokens.AsSpan(..^1), tokens[^1])) green++;
        }

        double expected = watermark.GreenlistRatio;
        double z = (green - (expected * count)) / Math.Sqrt(count * expected * (1 - expected));
        return new WatermarkDetection(count, green, z, zThreshold);
    }
}
