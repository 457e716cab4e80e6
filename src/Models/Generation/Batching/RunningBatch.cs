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

    /// <summary>
    /// Lets texts join. Where a batch gives each row the bits that it would get alone, their prompts are read in the next step, together with the last tokens of the
    /// others; elsewhere, and where they are to be read in chunks, at once, each alone.
    /// </summary>
    public void Join(IEnumerable<RunningRow> rows)
    {
        foreach (RunningRow row in rows)
        {
            var (batch, unread) = row.Call.Begin();

            // Where rotary frequencies depend on the longest row, every row is apart, so that none depends on another.
            Part part = _parts.Count == 0 || model.Config.Rope.DependsOnLength ? new Part(batch) : _parts[^1];
            bool isNew = part.Batch == batch;
            try
            {
                if (part.IsRead || !batch.ReadsUnevenly || row.Call.Settings.Config.PrefillChunkSize is not null)
                {
                    ReadRest(part);
                    part.Logits = [.. part.Logits.AsSpan(0, part.Rows.Count * _vocabularySize), .. new float[_vocabularySize]];
                    row.Call.ReadInChunks(batch, [unread], part.Logits.AsSpan(part.Rows.Count * _vocabularySize));
                    part.IsRead = true;
                    unread = [];
                }

                if (!isNew) part.Batch.Join(batch);
                part.Rows.Add(row);
                part.Unread.Add(unread);
                if (isNew) _parts.Add(part);
            }
            finally
            {
                if (!_parts.Any(other => other.Batch == batch)) batch.Dispose();
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
            ReadRest(part);
            int threads = part.Rows.Count * _vocabularySize < ManyScores ? 1 : Math.Max(1, TorchSharp.torch.get_num_threads());
            Parallel.For(0, part.Rows.Count, new ParallelOptions { MaxDegreeOfParallelism = threads }, place =>
            {
                float[] scores = ArrayPool<float>.Shared.Rent(_vocabularySize);
                part.Rows[place].Add(part.Logits.AsSpan(place * _vocabularySize, _vocabularySize), scores.AsSpan(0, _vocabularySize));
                ArrayPool<float>.Shared.Return(scores);
            });
            for (int place = 0; place < part.Rows.Count; place++) part.Unread[place] = [part.Rows[place].Row.Ids[^1]];
            part.IsRead = false;
        }

        Leave(row =>
        {
            if (row.Row.FinishReason is null) return false;
            ended.Add(row);
            return true;
        });
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

    private void Leave(Predicate<RunningRow> leaves)
    {
        foreach (Part part in _parts)
        {
            int[] stay = [.. Enumerable.Range(0, part.Rows.Count).Where(place => !leaves(part.Rows[place]))];
            if (stay.Length == part.Rows.Count) continue;
            part.Batch.Select(stay);
            for (int place = 0; part.IsRead && place < stay.Length; place++)
                part.Logits.AsSpan(stay[place] * _vocabularySize, _vocabularySize).CopyTo(part.Logits.AsSpan(place * _vocabularySize));
            part.Keep(stay);
        }

        foreach (Part part in _parts.Where(static part => part.Rows.Count == 0)) part.Batch.Dispose();
        _parts.RemoveAll(static part => part.Rows.Count == 0);
    }

    /// <summary>Reads what has not been read.</summary>
    private void ReadRest(Part part)
    {
        if (part.IsRead || part.Rows.Count == 0) return;
        int scores = part.Rows.Count * _vocabularySize;
        if (part.Logits.Length < scores) part.Logits = new float[scores];
        GenerationCall.Read(part.Batch, [.. part.Unread], part.Logits.AsSpan(0, scores));
        part.IsRead = true;
    }

    private sealed class Part(IDecodingBatch batch)
    {
        public IDecodingBatch Batch { get; } = batch;

        public List<RunningRow> Rows { get; private set; } = [];

        /// <summary>The tokens of every row that are read next.</summary>
        public List<int[]> Unread { get; private set; } = [];

        /// <summary>Whether they have been read.</summary>
        public bool IsRead { get; set; }

        /// <summary>The logits of the next token of every row, once it is.</summary>
        public float[] Logits { get; set; } = [];

        public void Keep(int[] places) => (Rows, Unread) = ([.. places.Select(place => Rows[place])], [.. places.Select(place => Unread[place])]);
    }
}
