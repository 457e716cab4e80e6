namespace MLComponents.Transforms;

/// <summary>Cuts token ids to a length without touching the special tokens that the tokenizer puts around every text.</summary>
internal static class TextTruncation
{
    /// <summary>Keeps <paramref name="maxLength"/> of the ids.</summary>
    /// <param name="ids">The ids, at least <paramref name="maxLength"/> of them.</param>
    /// <param name="leading">How many special tokens the ids begin with.</param>
    /// <param name="trailing">How many special tokens they end with.</param>
    /// <param name="maxLength">Ids to keep, at least 0. Where even the special tokens do not fit, they are cut like any other.</param>
    /// <param name="side">Where to cut.</param>
    public static int[] Cut(ReadOnlySpan<int> ids, int leading, int trailing, int maxLength, TruncationSide side)
    {
        if (leading + trailing >= maxLength) (leading, trailing) = (0, 0);
        int room = maxLength - leading - trailing;
        ReadOnlySpan<int> text = ids[leading..^trailing];
        int head = side switch
        {
            TruncationSide.End => room,
            TruncationSide.Start => 0,
            _ => (room + 1) / 2,
        };
        return [.. ids[..leading], .. text[..head], .. text[^(room - head)..], .. ids[^trailing..]];
    }
}
