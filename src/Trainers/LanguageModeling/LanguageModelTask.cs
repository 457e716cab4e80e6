using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Texts whose tokens are to be predicted: the mean cross-entropy over the learnt tokens of a batch, without ever holding the scores of the vocabulary.</summary>
/// <param name="scorer">The model.</param>
/// <param name="options">Packing, smoothing, and the size of batches in validation.</param>
internal sealed class LanguageModelTask(LanguageModelScorer scorer, CausalLanguageModelOptions options) : TrainingTask<LanguageSequence>
{
    private const int WindowRows = 512;

    private readonly Device _device = scorer.Model.parameters().First().device;

    /// <inheritdoc/>
    public override PretrainedModel Model => scorer.Model;

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
    public override int LengthOf(LanguageSequence row) => row.Ids.Length;

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
        using PackedRows packed = PackedRows.Create(rows, options.Packing && Model.Config.IsCausal, _device);
        return scorer.Model.Loss(packed.Input, packed.Labels, options.LabelSmoothing, (long)totalWeight);
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
                float[][] said = scorer.Forward(Array.ConvertAll(batch, index => window[index].Ids));
                for (int i = 0; i < batch.Length; i++)
                {
                    LanguageSequence row = window[batch[i]];
                    for (int token = 0; token < row.Ids.Length; token++)
                        if (row.Learned[token]) sum -= said[i][token];
                    tokens += row.LearnedCount;
                }
            }
        }

        return new Dictionary<string, double> { [ValidationMetric.LogLoss.Name] = sum / tokens };
    }
}
