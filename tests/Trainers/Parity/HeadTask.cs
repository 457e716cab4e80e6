using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>A row of a reference's batch: padded ids, their mask, and the labels by name.</summary>
internal sealed record HeadRow(long[] Ids, long[] Mask, IReadOnlyDictionary<string, long[]> Labels);

/// <summary>Any head trained on rows as the reference's batches have them, padding and all.</summary>
/// <param name="model">The model.</param>
/// <param name="classWeights">Of a sequence classifier.</param>
/// <param name="labelSmoothing">Of a sequence classifier.</param>
internal sealed class HeadTask(PretrainedModel model, float[]? classWeights, double labelSmoothing) : TrainingTask<HeadRow>
{
    private readonly ClassificationLoss _classification = new(classWeights, CPU, labelSmoothing);

    public override PretrainedModel Model => model;

    public override int[] IdsOf(HeadRow row) => Array.ConvertAll(row.Ids, id => (int)id);

    public override double WeightOf(HeadRow row) => model switch
    {
        SequenceClassificationModel => _classification.WeightOf((int)row.Labels["labels"][0]),
        TokenClassificationModel => row.Labels["labels"].Count(label => label >= 0),
        CausalLanguageModel => row.Labels["labels"].Skip(1).Count(label => label >= 0),
        _ => 1,
    };

    public override Tensor Loss(IReadOnlyList<HeadRow> rows, double totalWeight)
    {
        Tensor Labels(string name) => Matrix(rows, row => row.Labels[name]);
        switch (model)
        {
            case SequenceClassificationModel:
                return _classification.Share(Logits(rows), Labels("labels").view(-1), totalWeight);
            case TokenClassificationModel:
                return Sum(Logits(rows), Labels("labels")) / totalWeight;
            case CausalLanguageModel:
                return Sum(Logits(rows)[.., ..^1], Labels("labels")[.., 1..]) / totalWeight;
            default:
                Tensor logits = Logits(rows);
                return (Sum(logits[..rows.Count], Labels("start_positions").view(-1)) + Sum(logits[rows.Count..], Labels("end_positions").view(-1))) / 2 / totalWeight;
        }
    }

    /// <summary>The logits of rows: [rows, labels], [rows, seq, labels], or [starts then ends, seq] of a question answerer.</summary>
    public Tensor Logits(IReadOnlyList<HeadRow> rows)
    {
        Tensor ids = Matrix(rows, row => row.Ids), mask = Matrix(rows, row => row.Mask);
        switch (model)
        {
            case SequenceClassificationModel classifier:
                using (Tensor last = mask.sum(1) - 1) return classifier.ForwardPooled(ids, last);
            case TokenClassificationModel tagger:
                return tagger.forward(ids, mask);
            case CausalLanguageModel language:
                return language.forward(ids, mask);
            default:
                (Tensor start, Tensor end) = ((QuestionAnsweringModel)model).forward(ids, mask);
                return cat([start, end]);
        }
    }

    public override IReadOnlyDictionary<string, double> Validate(IEnumerable<HeadRow> rows, Action checkAlive) =>
        throw new NotSupportedException("The reference's runs have no validation.");

    public override void Dispose() => _classification.Dispose();

    private static Tensor Matrix(IReadOnlyList<HeadRow> rows, Func<HeadRow, long[]> line) =>
        tensor(rows.SelectMany(line).ToArray(), [rows.Count, line(rows[0]).Length]);

    private static Tensor Sum(Tensor logits, Tensor labels)
    {
        Tensor scores = logits.to(ScalarType.Float32).reshape(-1, logits.shape[^1]);
        return nn.functional.cross_entropy(scores, labels.reshape(-1), ignore_index: CausalLanguageModel.IgnoredLabel, reduction: nn.Reduction.Sum);
    }
}
