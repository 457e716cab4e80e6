namespace MLComponents.Tokenization;

/// <summary><c>FixedLength</c>: pieces of so many code points.</summary>
internal sealed class FixedLengthStep(int length) : PreTokenizerStep
{
    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int end = text.Pieces.End(piece);
            for (int start = text.Pieces.Start(piece); start < end;)
            {
                int next = start;
                for (int count = 0; count < length && next < end; count++)
                {
                    CodePoints.At(text.Text.Characters, next, out int units);
                    next += units;
                }

                text.Spare.Add(start, next);
                start = next;
            }
        }

        text.Advance(text.Text);
    }
}
