namespace MLComponents.Transforms;

/// <summary>A part of a text that is longer than the model may read, with what the tokenizer puts around every text.</summary>
/// <param name="Ids">The token ids that the model reads.</param>
/// <param name="Start">Where in <paramref name="Ids"/> the text's tokens begin.</param>
/// <param name="First">Which token of the text that is.</param>
/// <param name="Count">How many tokens of the text it holds.</param>
/// <param name="Overlap">How many of them the window before it holds, too.</param>
internal sealed record TokenWindow(int[] Ids, int Start, int First, int Count, int Overlap)
{
    /// <summary>Cuts a text into as few windows as its length allows.</summary>
    /// <param name="ids">What the tokenizer made of the text, or of a pair of texts of which the second may be cut.</param>
    /// <param name="start">Where in <paramref name="ids"/> the tokens that may be cut begin.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="maxLength">Most tokens of a window; more than those that stay in every window.</param>
    /// <param name="stride">How many tokens a window shares with the one before, from 0; taken as less where the room is less.</param>
    /// <exception cref="ArgumentOutOfRangeException">No token of the text would fit.</exception>
    public static TokenWindow[] Cut(ReadOnlySpan<int> ids, int start, int count, int maxLength, int stride)
    {
        int room = maxLength - (ids.Length - count);
        if (room < 1) throw new ArgumentOutOfRangeException(nameof(maxLength), maxLength, $"MaxLength is {maxLength}, but {ids.Length - count} tokens stay in every window; expected at least {ids.Length - count + 1}.");
        if (count <= room) return [new TokenWindow(ids.ToArray(), start, 0, count, 0)];
        stride = Math.Min(stride, room - 1);
        var windows = new List<TokenWindow>();
        for (int first = 0; windows.Count == 0 || first + stride < count; first += room - stride)
        {
            int taken = Math.Min(room, count - first);
            windows.Add(new TokenWindow(
                [.. ids[..start], .. ids.Slice(start + first, taken), .. ids[(start + count)..]], start, first, taken, windows.Count == 0 ? 0 : stride));
        }

        return [.. windows];
    }
}
