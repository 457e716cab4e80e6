using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Texts that each have one of several labels: cross-entropy on the logits of the text's last token.</summary>
internal sealed class SequenceClassificationTask : TrainingTask<ClassifiedText>
{
    private readonly ScoredTexts _texts;
    private readonly ClassificationMetrics _metrics;
    private readonly ClassificationLoss _loss;

    /// <summary>Prepares the job.</summary>
    /// <param name="model">The model.</param>
    /// <param name="padId">What fills shorter rows; see <see cref="TokenBatch.Create"/>.</param>
    /// <param name="classWeights">What a row of each label counts, or null where all count the same.</param>
    /// <param name="options">The form of the loss, and how large the batches of a validation are.</param>
    public SequenceClassificationTask(SequenceClassificationModel model, int? padId, float[]? classWeights, SequenceClassificationOptions options)
    {
        _texts = new ScoredTexts(model, new TextBatches(model, padId, options.Packing, arePooled: true));
        _metrics = new ClassificationMetrics(_texts.OutputCount, _texts.Score, options.BatchSize, options.MaxTokensPerBatch);
        _loss = new ClassificationLoss(classWeights, Texts.Device, options.LabelSmoothing, options.FocalGamma);
    }

    /// <inheritdoc/>
    public override PretrainedModel Model => Texts.Model;

    /// <inheritdoc/>
    public override TextBatches Texts => _texts.Batches;

    /// <summary>Reads and encodes rows; enumerated anew, it does so again.</summary>
    public static IEnumerable<(ClassifiedText Row, bool Truncated)> Encode(LabeledTexts texts, ITextScorer scorer)
    {
        foreach ((TextInput text, int label) in texts.Read())
        {
            EncodedText encoded = scorer.Encode(text);
            yield return (new ClassifiedText(encoded.Ids, label), encoded.Truncated);
        }
    }

    /// <inheritdoc/>
    public override int[] IdsOf(ClassifiedText row) => row.Ids;

    /// <inheritdoc/>
    public override double WeightOf(ClassifiedText row) => _loss.WeightOf(row.Label);

    /// <inheritdoc/>
    public override Tensor Loss(IReadOnlyList<ClassifiedText> rows, double totalWeight)
    {
        Tensor labels = tensor(rows.Select(row => (long)row.Label).ToArray(), device: Texts.Device);
        return _loss.Share(_texts.Logits([.. rows.Select(row => row.Ids)]), labels, totalWeight);
    }

    /// <inheritdoc/>
    public override void Identify(ClassifiedText row, IncrementalHash hash)
    {
        hash.AppendData(MemoryMarshal.AsBytes<int>([row.Label, row.Ids.Length]));
        hash.AppendData(MemoryMarshal.AsBytes(row.Ids.AsSpan()));
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Validate(IEnumerable<ClassifiedText> rows, Action checkAlive) => _metrics.Measure(rows, checkAlive);

    /// <inheritdoc/>
    public override void Dispose() => _loss.Dispose();
}
