namespace MLComponents.Models;

/// <summary>The tokens that may come next: named one by one where they are few, else a bit each.</summary>
internal sealed class TokenMask
{
    private readonly int[]? _ids;
    private readonly ulong[]? _bits;

    /// <param name="ids">The tokens.</param>
    /// <param name="vocabularySize">The number of tokens.</param>
    /// <param name="mostTokensBehind">How many tokens it takes at most to finish a text behind one of them.</param>
    public TokenMask(List<int> ids, int vocabularySize, int mostTokensBehind)
    {
        MostTokensBehind = mostTokensBehind;
        if (ids.Count <= vocabularySize / 32)
        {
            _ids = [.. ids];
            return;
        }

        _bits = new ulong[(vocabularySize + 63) / 64];
        foreach (int id in ids) _bits[id / 64] |= 1UL << id;
    }

    /// <summary>How many tokens it takes at most to finish a text behind one of them, the shortest one.</summary>
    public int MostTokensBehind { get; }

    /// <summary>Rules out all other tokens, but for those that end a text if they may.</summary>
    public void Apply(Span<float> scores, ReadOnlySpan<int> ends)
    {
        Span<float> kept = stackalloc float[Math.Min(ends.Length, 64)];
        for (int index = 0; index < kept.Length; index++) kept[index] = scores[ends[index]];
        if (_ids is { } ids)
        {
            float[] values = [.. ids.Select(static _ => 0f)];
            for (int index = 0; index < ids.Length; index++) values[index] = ids[index] < scores.Length ? scores[ids[index]] : float.NegativeInfinity;
            scores.Fill(float.NegativeInfinity);
            for (int index = 0; index < ids.Length; index++)
                if (ids[index] < scores.Length) scores[ids[index]] = values[index];
        }
        else
        {
            for (int id = 0; id < scores.Length; id++)
                if (id / 64 >= _bits!.Length || (_bits[id / 64] & (1UL << id)) == 0) scores[id] = float.NegativeInfinity;
        }

        for (int index = 0; index < kept.Length; index++) scores[ends[index]] = kept[index];
    }
}
