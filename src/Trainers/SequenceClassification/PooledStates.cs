using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// What a frozen decoder makes of texts, computed once: where the head alone is trained, an epoch after the first needs nothing else. What does not fit into the
/// memory allowed is computed anew each time.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="padId">What fills shorter rows; see <see cref="TokenBatch.Create"/>.</param>
/// <param name="mostBytes">Most memory for the states.</param>
internal sealed class PooledStates(SequenceClassificationModel model, int? padId, long mostBytes = PooledStates.DefaultBytes)
{
    /// <summary>A gibibyte: half a million texts of a model with 512 hidden units.</summary>
    public const long DefaultBytes = 1L << 30;

    private const int WindowRows = 2048;

    private readonly Dictionary<int[], float[]> _states = new(new SameIds());
    private readonly Device _device = model.parameters().First().device;
    private long _bytes;

    /// <summary>Texts that the decoder has read so far.</summary>
    public long Computed { get; private set; }

    /// <summary>Whether only the head of a model is trained, so that the decoder gives the same for a text in every epoch. It is then run without dropout.</summary>
    public static bool Suit(SequenceClassificationModel model)
    {
        string head = $"{model.Names.HeadOf(model.Head)}.";
        return model.EmbeddingNoise == 0 && model.named_parameters().All(item => !item.parameter.requires_grad || item.name.StartsWith(head, StringComparison.Ordinal));
    }

    /// <summary>Runs the decoder over texts, in batches of like length within windows of the data's order: the same batches in every process.</summary>
    /// <param name="rows">The texts.</param>
    /// <param name="batchSize">Most texts at once.</param>
    /// <param name="maxTokens">Most tokens at once, padding included.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    public void Fill(IEnumerable<int[]> rows, int batchSize, int maxTokens, Action checkAlive)
    {
        foreach (int[][] window in rows.Chunk(WindowRows))
        {
            int[][] missing = [.. window.Where(row => !_states.ContainsKey(row)).Distinct(_states.Comparer)];
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(missing, row => row.Length), batchSize, maxTokens))
            {
                checkAlive();
                if (_bytes >= mostBytes) return;
                int[][] texts = Array.ConvertAll(batch, index => missing[index]);
                foreach ((int[] text, float[] state) in texts.Zip(Compute(texts)))
                {
                    _states[text] = state;
                    _bytes += (text.Length * sizeof(int)) + (state.Length * sizeof(float));
                }
            }
        }
    }

    /// <summary>The head's logits of texts, with gradients for the head.</summary>
    /// <returns><c>[texts, labels]</c>.</returns>
    public Tensor Logits(IReadOnlyList<int[]> rows)
    {
        float[][] states = [.. rows.Select(row => _states.TryGetValue(row, out float[]? known) ? known : Compute([row])[0])];
        using Tensor managed = tensor(states.SelectMany(state => state).ToArray(), [rows.Count, states[0].Length]);
        // A copy in memory of the backend's own: how it lies there decides how matrix products are summed up, and managed memory lies anywhere.
        Tensor pooled = managed.clone().to(model.DType, _device);
        return model.ScorePooled(pooled);
    }

    private float[][] Compute(int[][] texts)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using TokenBatch batch = TokenBatch.Create(texts, padId, _device);
        bool wasTraining = model.training;
        model.eval();
        float[] states = model.Pool(batch.InputIds, batch.LastPositions).to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        if (wasTraining) model.train();
        Computed += texts.Length;
        return [.. states.Chunk(states.Length / texts.Length)];
    }

    /// <summary>Token ids are the same text wherever they are.</summary>
    private sealed class SameIds : IEqualityComparer<int[]>
    {
        public bool Equals(int[]? one, int[]? other) => one.AsSpan().SequenceEqual(other);

        public int GetHashCode(int[] ids)
        {
            var hash = default(HashCode);
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(ids.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
