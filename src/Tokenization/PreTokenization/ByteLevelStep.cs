namespace MLComponents.Tokenization;

/// <summary><c>ByteLevel</c>: optionally a space before every piece, optionally GPT-2's pattern; the model then works on bytes.</summary>
internal sealed class ByteLevelStep(bool addPrefixSpace, bool useRegex) : PreTokenizerStep
{
    /// <inheritdoc/>
    public override bool YieldsBytes => true;

    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        if (addPrefixSpace) PrefixSpaces(ref text);
        if (!useRegex) return;
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int start = text.Pieces.Start(piece);
            PublishedPattern.ByteLevel.Split(text.Text.Characters[start..text.Pieces.End(piece)], start, text.Spare);
        }

        text.Advance(text.Text);
    }

    // The invented space shares the range of the first character of its piece.
    private static void PrefixSpaces(ref PreTokenizedText text)
    {
        var builder = new AlignedTextBuilder(text.Text);
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int start = text.Pieces.Start(piece);
            int end = text.Pieces.End(piece);
            int written = builder.Length;
            if (text.Text.Characters[start] != ' ')
            {
                CodePoints.At(text.Text.Characters, start, out int length);
                (int from, int to) = text.Text.Original(start, start + length);
                builder.Append(' ', from, to);
            }

            builder.Copy(start, end - start);
            text.Spare.Add(written, builder.Length);
        }

        text.Advance(builder.Build());
    }
}
