using System.Buffers;

namespace MLComponents.Models;

/// <summary>
/// Continuous batching: texts join and leave while others go on, so that a step always computes as many rows as there are. What a text becomes does not depend on
/// the others beside it. For one thread at a time.
/// </summary>
/// <param name="model">The model.</param>
internal sealed class RunningBatch(CausalLanguageModel model) : IDisposable
{
    // Prompts that are read together may be padded to twice their tokens; then reading them apart is cheaper.
    private const int MostPadding = 2;

    // From so many scores on in a step, rows are worked on side by side.
    private const int ManyScores = 1 << 17;

    private readonly List<Part> _parts = [];
    private readonly int _vocabularySize = model.Config.VocabularySize;

    /// <summary>The number of texts.</summary>
    public int Count => _parts.Sum(static part => part.Rows.Count);

    /// <summary>Lets texts join: their prompts are read.</summary>
    public void Join(IEnumerable<RunningRow> rows)
    {
        RunningRow[] all = [.. rows.OrderBy(LengthOf)];
        foreach (RunningRow[] group in Group(all))
        {
            var logits = new float[group.Length * _vocabularySize];
            bool hasPrefix = group[0].Call.Input.Cache is not null;
            IDecodingBatch batch = hasPrefix ? group[0].Call.Prefill(canForget: false, logits) : model.Decoding.NewBatch(group.Length, canForget: false);
            try
            {
                if (!hasPrefix) GenerationCall.Read(batch, [.. group.Select(static row => row.Call.Prompts.Ids(0))], logits);
                Part part = PartFor(batch);
                part.Rows.AddRange(group);
                part.Logits = [.. part.Logits.AsSpan(0, (part.Rows.Count - group.Length) * _vocabularySize), .. logits];
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

    private static int LengthOf(RunningRow row) => row.Call.Prompts.Ids(0).Length;

    /// <summary>Prompts of like lengths, which are read together; those that begin with something read before are read alone.</summary>
    private IEnumerable<RunningRow[]> Group(RunningRow[] ordered)
    {
        List<RunningRow> group = [];
        int tokens = 0;
        foreach (RunningRow row in ordered)
        {
            bool alone = row.Call.Input.Cache is not null || model.Config.Rope.DependsOnLength;
            if (group.Count > 0 && (alone || (group.Count + 1) * LengthOf(row) > MostPadding * (tokens + LengthOf(row))))
            {
                yield return [.. group];
                (group, tokens) = ([], 0);
            }

            if (alone)
            {
                yield return [row];
                continue;
            }

            group.Add(row);
            tokens += LengthOf(row);
        }

        if (group.Count > 0) yield return [.. group];
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
