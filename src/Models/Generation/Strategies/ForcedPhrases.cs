namespace MLComponents.Models;

/// <summary>Phrases that a text must hold, each in one of several forms.</summary>
internal sealed class ForcedPhrases
{
    private readonly int[][][] _phrases;
    private readonly int _longest;

    public ForcedPhrases(IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>> phrases, int vocabularySize)
    {
        _phrases = [.. phrases.Select(static forms => forms.Select(static ids => ids.ToArray()).ToArray())];
        foreach (int[][] forms in _phrases)
        {
            if (forms.Length == 0 || forms.Any(static ids => ids.Length == 0)) throw new ArgumentException("ForceWordsIds holds a phrase without ids.", nameof(phrases));
            foreach (int id in forms.SelectMany(static ids => ids))
            {
                if (id < 0 || id >= vocabularySize)
                    throw new ArgumentException($"ForceWordsIds holds the id {id}; the model has ids from 0 to {vocabularySize - 1}.", nameof(phrases));
            }

            if (forms.Any(ids => forms.Any(other => other != ids && other.AsSpan().StartsWith(ids))))
                throw new ArgumentException("A form of a phrase in ForceWordsIds is the beginning of another one; leave the longer one out.", nameof(phrases));
        }

        _longest = _phrases.Max(static forms => forms.Max(static ids => ids.Length));
    }

    /// <summary>How far a text is with the phrases.</summary>
    /// <param name="ids">The text; what its prompt holds counts, as in the reference.</param>
    public Progress Of(ReadOnlySpan<int> ids)
    {
        var progress = new Progress(this, [.. Enumerable.Range(0, _phrases.Length)], null, [], 0);
        foreach (int id in ids)
        {
            if (progress.IsComplete) break;
            progress = progress.With(id);
        }

        return progress;
    }

    /// <summary>How far a text is.</summary>
    /// <param name="Phrases">The phrases.</param>
    /// <param name="Pending">Those that were not begun.</param>
    /// <param name="Begun">The one that was begun last and is not complete, or null.</param>
    /// <param name="Matched">What stands of it.</param>
    /// <param name="CompleteCount">How many are complete.</param>
    internal sealed record Progress(ForcedPhrases Phrases, int[] Pending, int? Begun, int[] Matched, int CompleteCount)
    {
        public bool IsComplete => Pending.Length == 0 && Begun is null;

        /// <summary>A number that grows with every token of a phrase.</summary>
        public int Bank => (CompleteCount * Phrases._longest) + (Begun is { } phrase ? Phrases._longest - (LengthOf(phrase) - Matched.Length) : 0);

        /// <summary>The tokens that would bring it further.</summary>
        public IEnumerable<int> Next() => Begun is { } phrase ? NextOf(phrase, Matched) : Pending.SelectMany(pending => NextOf(pending, []));

        /// <summary>With one more token.</summary>
        public Progress With(int id)
        {
            if (Begun is { } begun)
            {
                return NextOf(begun, Matched).Contains(id)
                    ? Step(begun, [.. Matched, id], Pending)
                    : this with { Pending = [.. Pending, begun], Begun = null, Matched = [] };
            }

            foreach (int phrase in Pending)
                if (NextOf(phrase, []).Contains(id)) return Step(phrase, [id], [.. Pending.Where(other => other != phrase)]);
            return this;
        }

        private Progress Step(int phrase, int[] matched, int[] pending) => NextOf(phrase, matched).Any()
            ? this with { Pending = pending, Begun = phrase, Matched = matched }
            : this with { Pending = pending, Begun = null, Matched = [], CompleteCount = CompleteCount + 1 };

        private int LengthOf(int phrase) => Phrases._phrases[phrase].Max(static ids => ids.Length);

        private IEnumerable<int> NextOf(int phrase, int[] matched) => Phrases._phrases[phrase]
            .Where(ids => ids.Length > matched.Length && ids.AsSpan().StartsWith(matched)).Select(ids => ids[matched.Length]).Distinct();
    }
}
