using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Texts that each have one of several labels: cross-entropy on the logits of the text's last token.</summary>
internal sealed class SequenceClassificationTask : TrainingTask<ClassifiedText>
{
    private readonly SequenceClassificationModel _model;
    private readonly int? _padId;
    private readonly ClassificationMetrics _metrics;
    private readonly ClassificationLoss _loss;
    private readonly Device _device;
    private readonly SequenceClassificationOptions _options;
    private PooledStates? _states;

    /// <summary>Prepares the job.</summary>
    /// <param name="model">The model.</param>
    /// <param name="padId">What fills shorter rows; see <see cref="TokenBatch.Create"/>.</param>
    /// <param name="classWeights">What a row of each label counts, or null where all count the same.</param>
    /// <param name="metrics">Measures the model.</param>
    /// <param name="options">The form of the loss.</param>
    public SequenceClassificationTask(SequenceClassificationModel model, int? padId, float[]? classWeights, ClassificationMetrics metrics, SequenceClassificationOptions options)
    {
        (_model, _padId, _metrics, _options) = (model, padId, metrics, options);
        _device = model.parameters().First().device;
        _loss = new ClassificationLoss(classWeights, _device, options.LabelSmoothing, options.FocalGamma);
    }

    /// <inheritdoc/>
    public override PretrainedModel Model => _model;

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
    public override int LengthOf(ClassifiedText row) => row.Ids.Length;

    /// <inheritdoc/>
    public override double WeightOf(ClassifiedText row) => _loss.WeightOf(row.Label);

    /// <inheritdoc/>
    public override Tensor Loss(IReadOnlyList<ClassifiedText> rows, double totalWeight)
    {
        int[][] ids = [.. rows.Select(row => row.Ids)];
        Tensor labels = tensor(rows.Select(row => (long)row.Label).ToArray(), device: _device);
        if (_states is not null) return _loss.Share(_states.Logits(ids), labels, totalWeight);
        using TokenBatch tokens = TokenBatch.Create(ids, _padId, _device);
        return _loss.Share(_model.ForwardPooled(tokens.InputIds, tokens.LastPositions), labels, totalWeight);
    }

    /// <inheritdoc/>
    public override void Prepare(IEnumerable<ClassifiedText> rows, Action checkAlive)
    {
        if (!PooledStates.Suit(_model)) return;
        _states = new PooledStates(_model, _padId);
        _states.Fill(rows.Select(row => row.Ids), _options.BatchSize, _options.MaxTokensPerBatch, checkAlive);
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
