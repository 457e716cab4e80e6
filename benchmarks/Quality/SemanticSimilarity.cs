using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Trainers;

namespace MLComponents.Benchmarks;

/// <summary>Pairs of sentences and how alike they are, 0 to 5 (the STS benchmark in English).</summary>
internal sealed class SemanticSimilarity : QualityTask
{
    public override string Name => "stsb";

    protected override (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run)
    {
        IDataView Part(string file) => Table(ml, Path.Combine(run.Data, Name, file), ',', false, ("First", DataKind.String), ("Second", DataKind.String), ("Label", DataKind.Single));
        return (Limit(ml, Part("stsb-en-train.csv"), run), Part("stsb-en-test.csv"));
    }

    protected override IEstimator<ITransformer> Trainer(MLContext ml, QualityRun run) =>
        ml.Transforms.Text.FormatPrompt("Text", "{First}\n{Second}\nSimilarity:")
            .Append(ml.Regression.Trainers.SequenceRegression("Label", "Text", run.Apply(new SequenceRegressionOptions())));

    protected override IEstimator<ITransformer> Baseline(MLContext ml) =>
        ml.Transforms.Text.FeaturizeText("Features1", "First").Append(ml.Transforms.Text.FeaturizeText("Features2", "Second"))
            .Append(ml.Transforms.Concatenate("Features", "Features1", "Features2")).Append(ml.Regression.Trainers.Sdca());

    protected override string Measure(MLContext ml, ITransformer fitted, IDataView test)
    {
        IDataView scored = fitted.Transform(test);
        double[] x = [.. scored.GetColumn<float>("Score").Select(value => (double)value)], y = [.. scored.GetColumn<float>("Label").Select(value => (double)value)];
        return $"Pearson {Correlation(x, y):F4}, Spearman {Correlation(Ranks(x), Ranks(y)):F4}, R² {ml.Regression.Evaluate(scored).RSquared:F3}";
    }

    private static double Correlation(double[] x, double[] y)
    {
        double meanX = x.Average(), meanY = y.Average();
        double Sum(Func<double, double, double> of) => x.Zip(y, (a, b) => of(a - meanX, b - meanY)).Sum();
        return Sum((a, b) => a * b) / Math.Sqrt(Sum((a, _) => a * a) * Sum((_, b) => b * b));
    }

    private static double[] Ranks(double[] values)
    {
        Dictionary<double, double> ranks = values.Select((value, _) => value).Order().Select((value, place) => (value, place)).GroupBy(item => item.value).ToDictionary(group => group.Key, group => group.Average(item => item.place));
        return [.. values.Select(value => ranks[value])];
    }
}
