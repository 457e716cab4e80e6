namespace MLComponents.Tokenization;

/// <summary>
/// An encoding that is being put together, with the windows that truncation cut off. Windows, ranges and merging follow the reference,
/// also where that is odd: the second text of a window has no range unless the post-processor gave it one.
/// </summary>
internal sealed class EncodingDraft(int capacity = 0)
{
    /// <summary>The tokens so far.</summary>
    public List<DraftToken> Tokens { get; private set; } = new(capacity);

    /// <summary>What did not fit, as windows of their own.</summary>
    public List<EncodingDraft> Overflowing { get; private set; } = [];

    /// <summary>The tokens of the first and the second text; null where they are not marked.</summary>
    public Range?[] Sequences { get; private set; } = new Range?[2];

    /// <summary>The number of tokens.</summary>
    public int Count => Tokens.Count;

    /// <summary>Marks all tokens as those of the first (0) or second (1) text.</summary>
    public void MarkSequence(int sequence) => Sequences[sequence] = 0..Tokens.Count;

    /// <summary>Gives all tokens, not those of the windows, a segment.</summary>
    public void SetTypeId(int typeId)
    {
        for (int index = 0; index < Tokens.Count; index++) Tokens[index] = Tokens[index] with { TypeId = typeId };
    }

    /// <summary>A copy that can be changed by itself.</summary>
    public EncodingDraft Copy() => new()
    {
        Tokens = [.. Tokens], Overflowing = [.. Overflowing.Select(window => window.Copy())], Sequences = [.. Sequences],
    };

    /// <summary>Cuts to a length; what is cut off becomes windows that share tokens with the one before.</summary>
    /// <param name="maxLength">The length of a window.</param>
    /// <param name="stride">How many tokens neighbouring windows share; less than the length.</param>
    /// <param name="side">The side that is cut.</param>
    public void Truncate(int maxLength, int stride, SequenceSide side)
    {
        int length = Tokens.Count;
        if (maxLength >= length) return;
        if (maxLength == 0)
        {
            var whole = new EncodingDraft { Tokens = Tokens, Overflowing = Overflowing, Sequences = Sequences };
            (Tokens, Overflowing, Sequences) = ([], [whole], new Range?[2]);
            return;
        }

        if (stride >= maxLength)
            throw new ArgumentException($"The stride ({stride}) must be smaller than what is left for the text that is cut ({maxLength} tokens); the other text and the special tokens take the rest of the length.");
        var windows = new List<EncodingDraft>();
        int step = maxLength - stride;
        if (side == SequenceSide.Right)
        {
            for (int start = 0; ; start += step)
            {
                int stop = Math.Min(start + maxLength, length);
                windows.Add(Window(start, stop));
                if (stop == length) break;
            }
        }
        else
        {
            for (int stop = length; ; stop -= step)
            {
                int start = Math.Max(0, stop - maxLength);
                windows.Add(Window(start, stop));
                if (start == 0) break;
            }
        }

        (Tokens, Overflowing, Sequences) = (windows[0].Tokens, windows[1..], new Range?[2]);
    }

    /// <summary>One encoding behind the other; every window of either is joined with the other and with all windows of it.</summary>
    public static EncodingDraft Join(IReadOnlyList<EncodingDraft> parts)
    {
        if (parts.Count == 1) return parts[0];
        var joined = new EncodingDraft();
        foreach (EncodingDraft part in parts) joined.Append(part);
        return joined;
    }

    /// <summary>Fills up to a length.</summary>
    public void Pad(int length, DraftToken padding, SequenceSide side)
    {
        foreach (EncodingDraft window in Overflowing) window.Pad(length, padding, side);
        int missing = length - Tokens.Count;
        if (missing <= 0) return;
        if (side == SequenceSide.Right)
        {
            Tokens.AddRange(Enumerable.Repeat(padding, missing));
            return;
        }

        Tokens.InsertRange(0, Enumerable.Repeat(padding, missing));
        for (int sequence = 0; sequence < Sequences.Length; sequence++)
            if (Sequences[sequence] is { } range) Sequences[sequence] = (range.Start.Value + missing)..(range.End.Value + missing);
    }

    private EncodingDraft Window(int start, int stop) => new() { Tokens = Tokens.GetRange(start, stop - start) };

    private void Append(EncodingDraft other)
    {
        var windows = new List<EncodingDraft>();
        foreach (EncodingDraft window in Overflowing)
        {
            EncodingDraft joined = window.Copy();
            joined.Append(other.Copy());
            windows.Add(joined);
            foreach (EncodingDraft otherWindow in other.Overflowing)
            {
                joined = window.Copy();
                joined.Append(otherWindow.Copy());
                windows.Add(joined);
            }
        }

        foreach (EncodingDraft otherWindow in other.Overflowing)
        {
            var joined = new EncodingDraft { Tokens = [.. Tokens], Sequences = [.. Sequences] };
            joined.Append(otherWindow.Copy());
            windows.Add(joined);
        }

        int shift = Tokens.Count;
        for (int sequence = 0; sequence < Sequences.Length; sequence++)
            if (other.Sequences[sequence] is { } range) Sequences[sequence] = (range.Start.Value + shift)..(range.End.Value + shift);
        Tokens.AddRange(other.Tokens);
        Overflowing = windows;
    }
}
