namespace MLComponents.Models;

/// <summary>Adds to the scores of tokens that would complete runs of ids; negative infinity rules them out.</summary>
internal sealed class SequenceBiasProcessor : LogitsProcessor
{
    private readonly (int[] Before, int Last, float Bias)[] _runs;

    public SequenceBiasProcessor(IEnumerable<SequenceBias> biases, int vocabularySize)
        : this(biases.Select(static bias => (bias.Ids, (float)bias.Bias)), vocabularySize, nameof(GenerationConfig.SequenceBias))
    {
    }

    private SequenceBiasProcessor(IEnumerable<(IReadOnlyList<int> Ids, float Bias)> runs, int vocabularySize, string name)
    {
        // A run that is named twice counts as it is named last.
        var byRun = new Dictionary<ValueList<int>, float>();
        foreach (var (ids, bias) in runs)
        {
            if (ids.Count == 0) throw new ArgumentException($"{name} holds an empty list of ids.", name);
            foreach (int id in ids)
            {
                if (id < 0 || id >= vocabularySize)
                    throw new ArgumentException($"{name} holds the id {id}; the model has ids from 0 to {vocabularySize - 1}.", name);
            }

            byRun[new ValueList<int>(ids)] = bias;
        }

        _runs = [.. byRun.Select(static pair => (pair.Key.SkipLast(1).ToArray(), pair.Key[^1], pair.Value))];
    }

    /// <summary>Rules runs out. One that is nothing but an end is allowed all the same, as in the reference.</summary>
    public static SequenceBiasProcessor BadWords(IReadOnlyList<IReadOnlyList<int>> badWords, IReadOnlyList<int> eosIds, int vocabularySize) => new(
        badWords.Where(ids => ids.Count != 1 || !eosIds.Contains(ids[0])).Select(static ids => (ids, float.NegativeInfinity)), vocabularySize, nameof(GenerationConfig.BadWordsIds));

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        foreach (var (before, last, bias) in _runs)
            if (before.Length == 0 || (before.Length < context.Ids.Length && context.Ids.EndsWith(before))) scores[last] += bias;
    }
}
