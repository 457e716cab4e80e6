using System.Buffers;

namespace MLComponents.Models;

/// <summary>
/// Continuous batching: texts join and leave while others go on, so that a step always computes as many rows as there are. What a text becomes does not depend on
/// the others beside it. For one thread at a time.
/// </summary>
/// <param name="model">The model.</param>
internal sealed class RunningBatch(CausalLanguageModel model) : IDisposable
{
    // From so many scores on in a step, rows are worked on side by side.
    private const int ManyScores = 1 << 17;

    private readonly List<Part> _parts = [];
    private readonly int _vocabularySize = model.Config.VocabularySize;

    /// <summary>The number of texts.</summary>
    public int Count => _parts.Sum(static part => part.Rows.Count);

    /// <summary>Lets texts join: their prompts are read, each alone, so that not even its last bits depend on the others.</summary>
    public void Join(IEnumerable<RunningRow> rows)
    {
        foreach (RunningRow row in rows)
        {
            var logits = new float[_vocabularySize];
            IDecodingBatch batch = row.Call.Prefill(canForget: false, logits);
            try
            {
                Part part = PartFor(batch);
                part.Rows.Add(row);
                part.Logits = [.. part.Logits.AsSpan(0, (part.Rows.Count - 1) * _vocabularySize), .. logits];
                if (part.Batch != batch) part.Batch.Join(batch);
            }
            finally
            {
                if (_parts.All(part => part.Batch != batch)) batch.Dispose();
            }
        }
    }

    /// <summary>Gives every text its next token.</summary>
    /// <returns>The texts that ended; they have left.</returns>
    public IReadOnlyList<RunningRow> Step()
    {
        List<RunningRow> ended = [];
        foreach (Part part in _parts)
        {
            int threads = part.Rows.Count * _vocabularySize < ManyScores ? 1 : Math.Max(1, TorchSharp.torch.get_num_threads());
            Parallel.For(0, part.Rows.Count, new ParallelOptions { MaxDegreeOfParallelism = threads }, place =>
            {
                float[] scores = ArrayPool<float>.Shared.Rent(_vocabularySize);
                part.Rows[place].Add(part.Logits.AsSpan(place * _vocabularySize, _vocabularySize), scores.AsSpan(0, _vocabularySize));
                ArrayPool<float>.Shared.Return(scores);
            });
        }

        Leave(row =>
        {
            if (row.Row.FinishReason is null) return false;
            ended.Add(row);
            return true;
        });
        foreach (Part part in _parts)
        {
            int[][] last = [.. part.Rows.Select(static row => new[] { row.Row.Ids[^1] })];
            GenerationCall.Read(part.Batch, last, part.Logits.AsSpan(0, last.Length * _vocabularySize));
        }

        return ended;
    }

    /// <summary>Lets a text leave before it has ended.</summary>
    public void Remove(RunningRow row) => Leave(other => other == row);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Part part in _parts) part.Batch.Dispose();
        _parts.Clear();
    }

    /// <summary>Where rotary frequencies depend on the longest row, every row is apart, so that none depends on another.</summary>
    private Part PartFor(IDecodingBatch batch)
    {
        if (_parts.Count == 0 || model.Config.Rope.DependsOnLength) _parts.Add(new Part(batch));
        return _parts[^1];
    }

    private void Leave(Predicate<RunningRow> leaves)
    {
        foreach (Part part in _parts)
        {
            int[] stay = [.. Enumerable.Range(0, part.Rows.Count).Where(place => !leaves(part.Rows[place]))];
            if (stay.Length == part.Rows.Count) continue;
            part.Batch.Select(stay);
            for (int place = 0; place < stay.Length; place++)
                part.Logits.AsSpan(stay[place] * _vocabularySize, _vocabularySize).CopyTo(part.Logits.AsSpan(place * _vocabularySize));
            List<RunningRow> rows = [.. stay.Select(place => part.Rows[place])];
            part.Rows.Clear();
            part.Rows.AddRange(rows);
        }

        foreach (Part part in _parts.Where(static part => part.Rows.Count == 0)) part.Batch.Dispose();
        _parts.RemoveAll(static part => part.Rows.Count == 0);
    }

    private sealed class Part(IDecodingBatch batch)
    {
        public IDecodingBatch Batch { get; } = batch;

        public List<RunningRow> Rows { get; } = [];

        /// <summary>The logits of the next token of every row.</summary>
        public float[] Logits { get; set; } = [];
    }
}
