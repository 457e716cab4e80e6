namespace MLComponents.Tokenization;

/// <summary><c>ByteLevel</c>: optionally a space before every piece, optionally GPT-2's pattern; then the pieces in the byte alphabet.</summary>
/// <param name="addPrefixSpace">Whether a piece that begins with no space gets one.</param>
/// <param name="useRegex">Whether pieces are cut by GPT-2's pattern.</param>
/// <param name="writesBytes">Whether the pieces are written in the byte alphabet at last.</param>
internal sealed class ByteLevelStep(bool addPrefixSpace, bool useRegex, bool writesBytes = true) : PreTokenizerStep
{
    /// <inheritdoc/>
    public override PreTokenizerStep? LeavingBytes() => new ByteLevelStep(addPrefixSpace, useRegex, writesBytes: false);

    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        if (addPrefixSpace) PrefixSpaces(ref text);
        if (useRegex) Split(ref text);
        if (writesBytes) WriteBytes(ref text);
    }

    private static void Split(ref PreTokenizedText text)
    {
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
        if (text.Pieces.Count == 1 && text.Pieces.Start(0) == 0 && text.Text.Characters[0] == ' ') return;
        var builder = new AlignedTextBuilder(text.Text);
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int written = builder.Length;
            builder.SkipTo(text.Pieces.Start(piece));
            if (text.Text.Characters[text.Pieces.Start(piece)] != ' ') builder.Prefix(" ");
            builder.CopyTo(text.Pieces.End(piece));
            text.Spare.Add(written, builder.Length);
        }

        text.Advance(builder.Build());
    }

    private static void WriteBytes(ref PreTokenizedText text)
    {
        var builder = new AlignedTextBuilder(text.Text);
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int written = builder.Length;
            builder.SkipTo(text.Pieces.Start(piece));
            ByteLevelNormalizer.WriteBytes(text.Text.Characters, text.Pieces.Start(piece), text.Pieces.End(piece), ref builder);
            text.Spare.Add(written, builder.Length);
        }

        text.Advance(builder.Build());
    }
}
