using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>
/// The rows of a data set as token ids. They are encoded while they are read and, where they are few enough, kept for the next
/// pass.
/// </summary>
/// <param name="texts">The rows.</param>
/// <param name="scorer">Encodes them.</param>
/// <param name="mostKept">Most rows that are kept in memory.</param>
internal sealed class EncodedRows(LabeledTexts texts, ITextScorer scorer, int mostKept)
{
    private List<TrainingRow>? _kept;

    /// <summary>Texts of one pass that were cut to the longest length; known after the first pass.</summary>
    public long Truncated { get; private set; }

    /// <summary>Reads all rows in the order of the data.</summary>
    public IEnumerable<TrainingRow> Read(CancellationToken cancellationToken)
    {
        if (_kept is not null)
        {
            foreach (TrainingRow row in _kept) yield return row;
            yield break;
        }

        List<TrainingRow>? kept = [];
        long truncated = 0;
        foreach ((ReadOnlyMemory<char> text, int label) in texts.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            EncodedText encoded = scorer.Encode(text.Span);
            if (encoded.Truncated) truncated++;
            var row = new TrainingRow(encoded.Ids, label);
            if (kept is not null && kept.Count < mostKept) kept.Add(row);
            else kept = null;
            yield return row;
        }

        Truncated = truncated;
        _kept = kept;
    }
}
