using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// Texts with a target for each output of the model: the mean over rows and labels of the binary cross-entropy (torch.nn.BCEWithLogitsLoss), or the mean squared
/// error of the one output of a regression (torch.nn.MSELoss).
/// </summary>
internal sealed class TargetedTextTask : TrainingTask<TargetedText>
{
    private const int WindowRows = 2048;

    private readonly ScoredTexts _texts;
    private readonly FineTuningOptions _options;
    private readonly Tensor? _weights;
    private readonly bool _isRegression;

    /// <summary>Prepares the job.</summary>
    /// <param name="scorer">The model; not owned.</param>
    /// <param name="isRegression">Whether the target is a number.</param>
    /// <param name="labelWeights">What each label counts, or null where all count the same.</param>
    /// <param name="options">How large the batches of a validation are.</param>
    public TargetedTextTask(TextClassifier scorer, bool isRegression, float[]? labelWeights, FineTuningOptions options)
    {
        (_isRegression, _options) = (isRegression, options);
        _texts = new ScoredTexts(scorer.Model, new TextBatches(scorer.Model, scorer.PadId, options.Packing, arePooled: true));
        if (labelWeights is not null) _weights = tensor(labelWeights, device: Texts.Device).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public override PretrainedModel Model => Texts.Model;

    /// <inheritdoc/>
    public override TextBatches Texts => _texts.Batches;

    /// <inheritdoc/>
    public override int[] IdsOf(TargetedText row) => row.Ids;

    /// <inheritdoc/>
    public override Tensor Loss(IReadOnlyList<TargetedText> rows, double totalWeight)
    {
        Tensor logits = _texts.Logits([.. rows.Select(row => row.Ids)]).to_type(ScalarType.Float32);
        Tensor targets = tensor(rows.SelectMany(row => row.Targets).ToArray(), [rows.Count, _texts.OutputCount], device: Texts.Device);
        if (_isRegression) return nn.functional.mse_loss(logits, targets, nn.Reduction.Sum) / totalWeight;
        return nn.functional.binary_cross_entropy_with_logits(logits, targets, _weights!, nn.Reduction.Sum) / (totalWeight * _texts.OutputCount);
    }

    /// <inheritdoc/>
    public override void Identify(TargetedText row, IncrementalHash hash)
    {
        hash.AppendData(MemoryMarshal.AsBytes<int>([row.Ids.Length]));
        hash.AppendData(MemoryMarshal.AsBytes(row.Ids.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(row.Targets.AsSpan()));
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Validate(IEnumerable<TargetedText> rows, Action checkAlive)
    {
        IEnumerable<(float[] Outputs, float[] Targets)> scored = Score(rows, checkAlive);
        return _isRegression ? RegressionMetrics(scored) : LabelMetrics(scored, _texts.OutputCount);
    }

    /// <inheritdoc/>
    public override void Dispose() => _weights?.Dispose();

    /// <summary>The mean squared and absolute error, and Pearson's correlation.</summary>
    internal static IReadOnlyDictionary<string, double> RegressionMetrics(IEnumerable<(float[] Outputs, float[] Targets)> scored)
    {
        long count = 0;
        double squares = 0, distances = 0, sumX = 0, sumY = 0, sumXX = 0, sumYY = 0, sumXY = 0;
        foreach ((float[] outputs, float[] targets) in scored)
        {
            (double x, double y) = (outputs[0], targets[0]);
            count++;
            squares += (x - y) * (x - y);
            distances += Math.Abs(x - y);
            (sumX, sumY, sumXX, sumYY, sumXY) = (sumX + x, sumY + y, sumXX + (x * x), sumYY + (y * y), sumXY + (x * y));
        }

        double spread = ((count * sumXX) - (sumX * sumX)) * ((count * sumYY) - (sumY * sumY));
        return new Dictionary<string, double>
        {
            [ValidationMetric.MeanSquaredError.Name] = squares / count,
            [ValidationMetric.MeanAbsoluteError.Name] = distances / count,
            [ValidationMetric.PearsonCorrelation.Name] = spread > 0 ? ((count * sumXY) - (sumX * sumY)) / Math.Sqrt(spread) : 0,
        };
    }

    /// <summary>The mean binary cross-entropy; F1 over all decisions and as the mean over labels; the share of rows of which every label is right.</summary>
    internal static IReadOnlyDictionary<string, double> LabelMetrics(IEnumerable<(float[] Outputs, float[] Targets)> scored, int labels)
    {
        double loss = 0;
        long count = 0, exact = 0;
        var (right, predicted, expected) = (new long[labels], new long[labels], new long[labels]);
        foreach ((float[] outputs, float[] targets) in scored)
        {
            count++;
            bool isExact = true;
            for (int label = 0; label < labels; label++)
            {
                double z = outputs[label];
                loss += Math.Max(z, 0) - (z * targets[label]) + Math.Log(1 + Math.Exp(-Math.Abs(z)));
                bool isPredicted = z > 0, isExpected = targets[label] > 0;
                if (isPredicted && isExpected) right[label]++;
                if (isPredicted) predicted[label]++;
                if (isExpected) expected[label]++;
                isExact &= isPredicted == isExpected;
            }

            if (isExact) exact++;
        }

        static double F1(long right, long predicted, long expected) => predicted + expected == 0 ? 0 : 2.0 * right / (predicted + expected);
        return new Dictionary<string, double>
        {
            [ValidationMetric.LogLoss.Name] = loss / (count * labels),
            [ValidationMetric.MicroF1.Name] = F1(right.Sum(), predicted.Sum(), expected.Sum()),
            [ValidationMetric.MacroF1.Name] = Enumerable.Range(0, labels).Average(label => F1(right[label], predicted[label], expected[label])),
            [ValidationMetric.ExactMatch.Name] = (double)exact / count,
        };
    }

    private IEnumerable<(float[] Outputs, float[] Targets)> Score(IEnumerable<TargetedText> rows, Action checkAlive)
    {
        foreach (TargetedText[] window in rows.Chunk(WindowRows))
        {
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(window, row => row.Ids.Length), _options.BatchSize, _options.MaxTokensPerBatch))
            {
                checkAlive();
                float[][] outputs = _texts.Score(Array.ConvertAll(batch, index => window[index].Ids));
                for (int i = 0; i < batch.Length; i++) yield return (outputs[i], window[batch[i]].Targets);
            }
        }
    }
}
