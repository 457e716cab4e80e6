namespace MLComponents.Transforms;

/// <summary>
/// Rows of a window, encoded together when the first of them is asked for and scored in batches of like length. A batch runs when the
/// first of its rows is asked for: who skips rows does not pay for them.
/// </summary>
internal sealed class ScoringWindow<TInput, TRow, TResult>(IBatchScorer<TInput, TRow, TResult> scorer) : ReadAheadWindow<TInput, TResult>
    where TRow : IEncodedRow
{
    /// <summary>What one more call of the model costs, in tokens of padding: small enough to part short rows from long ones.</summary>
    private const int CallCost = 32;

    private readonly List<TInput> _inputs = [];
    private readonly TruncationReport _report = new(scorer.TellTruncated);
    private TRow[]? _rows;
    private (bool Done, TResult? Value)[] _results = [];
    private int[] _firstSequence = []; // of each row, and the end
    private int[] _rowOfSequence = [];
    private int[] _batchOfSequence = [];
    private float[]?[] _outputs = [];
    private IReadOnlyList<int[]> _batches = [];

    public override int Count => _inputs.Count;

    public override TResult this[int row]
    {
        get
        {
            if (_rows is null) Encode();
            if (!_results[row].Done) Score(row);
            return _results[row].Value!;
        }
    }

    public override void Add(TInput input) => _inputs.Add(input);

    public override void Clear()
    {
        _inputs.Clear();
        _rows = null;
    }

    public override bool Tell() => _report.Tell();

    private void Encode()
    {
        scorer.CheckAlive();
        TRow[] rows = RowEncoding.All(_inputs, scorer.Encode);
        foreach (TRow row in rows) _report.Count(row.Truncated);
        Plan(rows);
        _results = new (bool, TResult?)[rows.Length];
        _rows = rows;
    }

    private void Plan(TRow[] rows)
    {
        _firstSequence = new int[rows.Length + 1];
        for (int row = 0; row < rows.Length; row++) _firstSequence[row + 1] = _firstSequence[row] + rows[row].Sequences.Count;
        int sequences = _firstSequence[^1];
        (_rowOfSequence, _batchOfSequence, _outputs) = (new int[sequences], new int[sequences], new float[sequences][]);
        var lengths = new int[sequences];
        for (int row = 0; row < rows.Length; row++)
        {
            for (int i = 0; i < rows[row].Sequences.Count; i++)
            {
                int sequence = _firstSequence[row] + i;
                _rowOfSequence[sequence] = row;
                lengths[sequence] = rows[row].Sequences[i].Length;
            }
        }

        _batches = LengthBatches.Plan(lengths, scorer.BatchSize, scorer.MaxTokensPerBatch, CallCost);
        for (int batch = 0; batch < _batches.Count; batch++)
            foreach (int sequence in _batches[batch]) _batchOfSequence[sequence] = batch;
    }

    private void Score(int row)
    {
        for (int sequence = _firstSequence[row]; sequence < _firstSequence[row + 1]; sequence++)
            if (_outputs[sequence] is null) Run(_batches[_batchOfSequence[sequence]]);
        if (!_results[row].Done) Finish(row); // a row of no sequence
    }

    private void Run(int[] batch)
    {
        float[][] outputs = scorer.Forward(Array.ConvertAll(batch, sequence => _rows![_rowOfSequence[sequence]].Sequences[sequence - _firstSequence[_rowOfSequence[sequence]]]));
        for (int i = 0; i < batch.Length; i++) _outputs[batch[i]] = outputs[i];
        foreach (int row in batch.Select(sequence => _rowOfSequence[sequence]).Distinct())
            if (!_outputs.AsSpan(_firstSequence[row].._firstSequence[row + 1]).Contains(null)) Finish(row);
    }

    private void Finish(int row)
    {
        Span<float[]?> outputs = _outputs.AsSpan(_firstSequence[row].._firstSequence[row + 1]);
        _results[row] = (true, scorer.Combine(_rows![row], outputs!));
        outputs.Fill([]); // what they were made of is not needed any more
    }
}
