using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Texts whose tokens are to be predicted: the mean cross-entropy over the learnt tokens of a batch, without ever holding the scores of the vocabulary.</summary>
/// <param name="scorer">The model.</param>
/// <param name="options">Packing, smoothing, and the size of batches in validation.</param>
internal sealed class LanguageModelTask(LanguageModelScorer scorer, CausalLanguageModelOptions options) : TrainingTask<LanguageSequence>
{
    private const int WindowRows = 512;

    /// <inheritdoc/>
    public override PretrainedModel Model => scorer.Model;

    /// <inheritdoc/>
    public override TextBatches Texts { get; } = new(scorer.Model, scorer.Model.Config.PadTokenId, options.Packing, arePooled: false);

    /// <summary>Reads and encodes texts; enumerated anew, it does so again. What has nothing to learn is left out.</summary>
    /// <exception cref="InvalidOperationException">A row's text is to be a conversation and is none.</exception>
    public static IEnumerable<(LanguageSequence Row, bool Truncated)> Encode(TextRows texts, LanguageModelScorer scorer)
    {
        foreach ((LanguageText text, long number) in texts.Read())
        {
            LanguageRow row;
            try
            {
                row = scorer.Encoder.Encode(text);
            }
            catch (FormatException error)
            {
                throw new InvalidOperationException($"Row {number}: {error.Message}", error);
            }

            bool truncated = row.Truncated;
            foreach (LanguageSequence part in row.Parts)
            {
                if (part.LearnedCount == 0) continue;
                yield return (part, truncated);
                truncated = false;
            }
        }
    }

    /// <inheritdoc/>
    public override int[] IdsOf(LanguageSequence row) => row.Ids;

    /// <inheritdoc/>
    public override void Identify(LanguageSequence row, IncrementalHash hash)
    {
        hash.AppendData(MemoryMarshal.AsBytes<int>([row.Ids.Length, .. row.Ids]));
        hash.AppendData(MemoryMarshal.AsBytes(row.Learned.AsSpan()));
    }

    /// <inheritdoc/>
    public override double WeightOf(LanguageSequence row) => row.LearnedCount;

    /// <inheritdoc/>
    public override Tensor Loss(IReadOnlyList<LanguageSequence> rows, double totalWeight)
    {
        using TextBatch batch = Texts.Read([.. rows.Select(row => row.Ids)]);
        (long[] places, long[] following) = Learned(batch.Layout, rows);
        return scorer.Model.Loss(batch, places, following, options.LabelSmoothing, (long)totalWeight);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Validate(IEnumerable<LanguageSequence> rows, Action checkAlive)
    {
        double sum = 0;
        long tokens = 0;
        foreach (LanguageSequence[] window in rows.Chunk(WindowRows))
        {
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(window, row => row.Ids.Length), options.BatchSize, options.MaxTokensPerBatch))
            {
                checkAlive();
                LanguageSequence[] some = Array.ConvertAll(batch, index => window[index]);
                sum -= LogLikelihood(some);
                tokens += some.Sum(row => (long)row.LearnedCount);
            }
        }

        return new Dictionary<string, double> { [ValidationMetric.LogLoss.Name] = sum / tokens };
    }

    /// <summary>The tokens that are followed by one to learn, by their places among all, and the ids to learn.</summary>
    private static (long[] Places, long[] Following) Learned(TextLayout layout, IReadOnlyList<LanguageSequence> rows)
    {
        List<long> places = [], following = [];
        for (int row = 0; row < rows.Count; row++)
        {
            for (int token = 1; token < rows[row].Ids.Length; token++)
            {
                if (!rows[row].Learned[token]) continue;
                places.Add(layout.StartOf(row) + token - 1);
                following.Add(rows[row].Ids[token]);
            }
        }

        return ([.. places], [.. following]);
    }

    /// <summary>Of all tokens to learn, in nats.</summary>
    private double LogLikelihood(IReadOnlyList<LanguageSequence> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using TextBatch batch = Texts.Read([.. rows.Select(row => row.Ids)]);
        (long[] places, long[] following) = Learned(batch.Layout, rows);
        return scorer.Model.LogProbabilities(batch, places, following).to(ScalarType.Float64).sum().item<double>();
    }
}
