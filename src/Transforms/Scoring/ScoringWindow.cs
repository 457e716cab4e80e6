using System.Runtime.ExceptionServices;

namespace MLComponents.Transforms;

/// <summary>
/// The texts of some consecutive rows and what the model says of them. Texts are encoded when the first score is asked for, and
/// a batch of rows of like length runs when the first of its rows is asked for: who skips rows does not pay for them.
/// </summary>
internal sealed class ScoringWindow(SequenceClassificationTransformer transformer, TruncationReport report)
{
    /// <summary>What one more call of the model costs, in tokens of padding: small enough to part short rows from long ones.</summary>
    private const int CallCost = 32;

    /// <summary>From this many texts on they are encoded on several threads.</summary>
    private const int ParallelTexts = 16;

    private readonly List<ReadOnlyMemory<char>> _texts = [];
    private int[][]? _ids;
    private Classification?[] _scores = [];
    private int[] _batchOfRow = [];
    private IReadOnlyList<int[]> _batches = [];

    public int Count => _texts.Count;

    public void Add(ReadOnlyMemory<char> text) => _texts.Add(text);

    public void Clear()
    {
        _texts.Clear();
        _ids = null;
    }

    /// <summary>The classification of a row of this window.</summary>
    public Classification this[int row]
    {
        get
        {
            if (_ids is null) Encode();
            return _scores[row] ?? Score(row);
        }
    }

    private void Encode()
    {
        transformer.CheckAlive();
        var ids = new int[_texts.Count][];
        var truncated = new bool[_texts.Count];
        void EncodeOne(int row) => (ids[row], truncated[row]) = transformer.Scorer.Encode(_texts[row].Span);
        if (_texts.Count < ParallelTexts)
        {
            for (int row = 0; row < ids.Length; row++) EncodeOne(row);
        }
        else
        {
            try
            {
                Parallel.For(0, ids.Length, EncodeOne);
            }
            catch (AggregateException error)
            {
                ExceptionDispatchInfo.Throw(error.InnerExceptions[0]); // what a text throws does not depend on how many there are
            }
        }
        foreach (bool cut in truncated) report.Count(cut);

        _batches = LengthBatches.Plan(Array.ConvertAll(ids, row => row.Length), transformer.Settings.BatchSize, transformer.Settings.MaxTokensPerBatch, CallCost);
        _batchOfRow = new int[ids.Length];
        for (int batch = 0; batch < _batches.Count; batch++)
            foreach (int row in _batches[batch]) _batchOfRow[row] = batch;
        _scores = new Classification?[ids.Length];
        _ids = ids;
    }

    private Classification Score(int row)
    {
        int[] rows = _batches[_batchOfRow[row]];
        Classification[] scores = transformer.Score(Array.ConvertAll(rows, member => _ids![member]));
        for (int i = 0; i < rows.Length; i++) _scores[rows[i]] = scores[i];
        return _scores[row]!.Value;
    }
}
