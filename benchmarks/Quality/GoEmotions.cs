using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Trainers;

namespace MLComponents.Benchmarks;

/// <summary>Comments with any of 28 emotions; a label is taken as predicted from a probability of 0.3 on, as by the linear model of the published baseline, whose micro-F1 is 0.537.</summary>
internal sealed class GoEmotions : QualityTask
{
    private const float Threshold = 0.3f;

    public override string Name => "goemotions";

    protected override (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run)
    {
        string folder = Path.Combine(run.Data, Name);
        int labels = File.ReadLines(Path.Combine(folder, "labels.txt")).Count(line => line.Length > 0);
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Comment));
        schema[nameof(Comment.Label)].ColumnType = new VectorDataViewType(BooleanDataViewType.Instance, labels);
        IDataView Part(string file, int most) => ml.Data.LoadFromEnumerable(
            File.ReadLines(Path.Combine(folder, file)).Take(most).Select(line => line.Split('\t')).Select(fields =>
            {
                var label = new bool[labels];
                foreach (string number in fields[1].Split(',')) label[int.Parse(number)] = true;
                return new Comment { Text = fields[0], Label = label };
            }).ToArray(),
            schema);
        return (Part("train.tsv", run.Rows), Part("test.tsv", int.MaxValue));
    }

    protected override IEstimator<ITransformer> Trainer(MLContext ml, QualityRun run) =>
        ml.MulticlassClassification.Trainers.SequenceClassification("Label", "Text", run.Apply(new SequenceClassificationOptions()));

    protected override string Measure(MLContext ml, ITransformer fitted, IDataView test)
    {
        IDataView scored = fitted.Transform(test);
        float[][] probabilities = [.. scored.GetColumn<float[]>("Probability")];
        bool[][] labels = [.. scored.GetColumn<bool[]>("Label")];
        double F1(float threshold)
        {
            long right = 0, said = 0, expected = 0;
            foreach ((float[] row, bool[] truth) in probabilities.Zip(labels))
            {
                right += row.Where((p, i) => p >= threshold && truth[i]).Count();
                said += row.Count(p => p >= threshold);
                expected += truth.Count(isTrue => isTrue);
            }

            return 2.0 * right / (said + expected);
        }

        return $"micro-F1 from {Threshold} on {F1(Threshold):F4}, from 0.5 on {F1(0.5f):F4}";
    }

    private sealed class Comment
    {
        public string Text { get; set; } = "";

        public bool[] Label { get; set; } = [];
    }
}
