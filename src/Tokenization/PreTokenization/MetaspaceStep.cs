namespace MLComponents.Tokenization;

/// <summary><c>Metaspace</c>: writes spaces as a visible character, puts one in front and cuts before each.</summary>
/// <param name="replacement">The code point that stands for a space.</param>
/// <param name="scheme">Which pieces get one in front, unless they begin with one.</param>
/// <param name="split">Whether pieces are cut.</param>
internal sealed class MetaspaceStep(int replacement, PrependScheme scheme, bool split) : PreTokenizerStep
{
    private readonly string _replacement = char.ConvertFromUtf32(replacement);

    /// <inheritdoc/>
    public override bool AsksForOrigins => scheme == PrependScheme.First;

    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        ReadOnlySpan<char> characters = text.Text.Characters;
        var builder = new AlignedTextBuilder(text.Text);
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int start = text.Pieces.Start(piece), end = text.Pieces.End(piece);
            int written = builder.Length;
            builder.SkipTo(start);
            if (GetsPrefix(text.Text, start, end)) builder.Prefix(_replacement);
            for (int index = start; index < end;)
            {
                bool begins = false;
                if (characters[index] == ' ')
                {
                    if (split && builder.Length > written)
                    {
                        text.Spare.Add(written, builder.Length);
                        written = builder.Length;
                    }

                    builder.Transform(replacement, 0);
                    index++;
                }
                else
                {
                    begins = split && characters[index..end].StartsWith(_replacement, StringComparison.Ordinal);
                    if (begins && builder.Length > written)
                    {
                        text.Spare.Add(written, builder.Length);
                        written = builder.Length;
                    }

                    int next = NextBreak(characters[..end], index + (begins ? _replacement.Length : 1));
                    builder.CopyTo(next);
                    index = next;
                }
            }

            text.Spare.Add(written, builder.Length);
        }

        text.Advance(builder.Build());
    }

    private bool GetsPrefix(AlignedText text, int start, int end)
    {
        if (scheme == PrependScheme.Never || text.Characters[start] == ' ') return false;
        if (text.Characters[start..end].StartsWith(_replacement, StringComparison.Ordinal)) return false;
        return scheme == PrependScheme.Always || text.OriginalStart(start) == 0;
    }

    // Where the next space or replacement stands. A replacement of two units is found by its first, which may also begin another character.
    private int NextBreak(ReadOnlySpan<char> text, int from)
    {
        int ahead = text[from..].IndexOfAny(' ', _replacement[0]);
        return ahead < 0 ? text.Length : from + ahead;
    }
}
