using System.Runtime.InteropServices;

namespace MLComponents.Transforms;

/// <summary>Counts entities, row by row.</summary>
internal sealed class TokenClassificationEvaluation
{
    private readonly Dictionary<string, int> _tags = new(StringComparer.Ordinal);
    private readonly List<(int[] True, int[] Predicted)> _rows = [];

    /// <summary>Adds a row.</summary>
    /// <param name="actual">Per token its tag; null where it has none, and the token is then left out on both sides.</param>
    /// <param name="predicted">As many tags.</param>
    public void Add(IReadOnlyList<string?> actual, IReadOnlyList<string?> predicted)
    {
        int[] labelled = [.. Enumerable.Range(0, actual.Count).Where(token => actual[token] is not null)];
        _rows.Add((Array.ConvertAll(labelled, token => Index(actual[token]!)), Array.ConvertAll(labelled, token => Index(predicted[token] ?? TagSpans.Outside))));
    }

    /// <summary>What was counted.</summary>
    public TokenClassificationMetrics Result()
    {
        // Whether tags have prefixes is told from all of them.
        var spans = new TagSpans([.. _tags.OrderBy(pair => pair.Value).Select(pair => pair.Key)]);
        var counts = new EntityCounts();
        long rightTokens = 0, tokens = 0;
        foreach ((int[] actual, int[] predicted) in _rows)
        {
            counts.Add(spans.Find(actual), spans.Find(predicted));
            tokens += actual.Length;
            for (int token = 0; token < actual.Length; token++)
                if (actual[token] == predicted[token]) rightTokens++;
        }

        return new TokenClassificationMetrics(counts, rightTokens, tokens);
    }

    private int Index(string tag)
    {
        ref int index = ref CollectionsMarshal.GetValueRefOrAddDefault(_tags, tag, out bool known);
        if (!known) index = _tags.Count - 1;
        return index;
    }
}
