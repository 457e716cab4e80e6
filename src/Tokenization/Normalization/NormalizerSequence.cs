namespace MLComponents.Tokenization;

/// <summary><c>Sequence</c>: normalizers one after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<TextNormalizer> steps) : TextNormalizer
{
    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        foreach (TextNormalizer step in steps)
        {
            if (text.Length == 0) break;
            text = step.Normalize(text);
        }

        return text;
    }
}
