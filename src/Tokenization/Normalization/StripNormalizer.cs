namespace MLComponents.Tokenization;

/// <summary><c>Strip</c>: removes white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : TextNormalizer
{
    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        // White space is never a surrogate pair.
        int start = 0, end = text.Length;
        while (left && start < end && char.IsWhiteSpace(text.Characters[start])) start++;
        while (right && end > start && char.IsWhiteSpace(text.Characters[end - 1])) end--;
        return text.Slice(start, end - start);
    }
}
