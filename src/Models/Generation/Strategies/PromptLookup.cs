namespace MLComponents.Models;

/// <summary>Proposes what followed the last tokens where they stood before. Saxena 2023, "Prompt Lookup Decoding".</summary>
internal sealed class PromptLookup : ICandidateSource
{
    private const int DefaultLength = 2;

    private readonly GenerationCall _call;
    private readonly int _count;
    private readonly int _longest;

    public PromptLookup(GenerationCall call, int count)
    {
        (_call, _count) = (call, count);
        _longest = call.Settings.Config.MaxMatchingNgramSize ?? DefaultLength;
        if (count < 1) throw new ArgumentOutOfRangeException(nameof(count), count, "PromptLookupNumTokens must be at least 1.");
        if (_longest < 1) throw new ArgumentOutOfRangeException(nameof(call), _longest, "MaxMatchingNgramSize must be at least 1.");
    }

    /// <inheritdoc/>
    public Candidates Propose(ReadOnlySpan<int> ids, int most)
    {
        for (int size = Math.Min(_longest, ids.Length - 1); size > 0; size--)
        {
            ReadOnlySpan<int> last = ids[^size..];
            for (int start = 0; start + size < ids.Length; start++)
            {
                if (!ids.Slice(start, size).SequenceEqual(last)) continue;
                ReadOnlySpan<int> found = Allowed(ids, ids.Slice(start + size, Math.Min(_count, ids.Length - start - size)));
                if (found.IsEmpty) continue;

                // An end is left to the model.
                int end = found.IndexOfAny(_call.Settings.EosIds);
                if (end >= 0) found = found[..end];
                return new Candidates(found[..Math.Min(found.Length, Math.Max(0, most))].ToArray(), null);
            }
        }

        return new Candidates([], null);
    }

    /// <inheritdoc/>
    public void Learn(int proposed, int right)
    {
        // How much is looked up does not change.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It holds nothing.
    }

    /// <summary>What comes before the first token that processors rule out.</summary>
    private ReadOnlySpan<int> Allowed(ReadOnlySpan<int> ids, ReadOnlySpan<int> found)
    {
        if (_call.Processors.Length == 0) return found;
        var scores = new float[_call.VocabularySize];
        int[] all = [.. ids, .. found];
        for (int count = 0; count < found.Length; count++)
        {
            scores.AsSpan().Fill(1);
            _call.Process(_call.ContextOf(0, all.AsSpan(0, ids.Length + count)), scores);
            if (scores[found[count]] is float.NegativeInfinity or float.MinValue) return found[..count];
        }

        return found;
    }
}
