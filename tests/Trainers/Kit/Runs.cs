using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

/// <summary>Short ways to train on <see cref="Tickets"/> and to look at what came of it.</summary>
internal static class Runs
{
    public static SequenceClassificationEstimator Trainer(this MLContext ml, SequenceClassificationOptions options, string label = "Label", string text = "Text") =>
        ml.MulticlassClassification.Trainers.SequenceClassification(label, text, options);

    /// <summary>Rows whose text is mostly the letter of the queue before theirs: the better a model knows the tickets, the worse it does here.</summary>
    public static IDataView Contradicting(MLContext ml, int count)
    {
        Tickets.Ticket[] rows = Tickets.Rows(count);
        foreach (Tickets.Ticket row in rows) row.Queue = $"queue {(char)('A' + ((row.Queue[^1] - 'A' + 1) % Tickets.Labels))}";
        return Tickets.Keyed(ml, ml.Data.LoadFromEnumerable(rows));
    }

    /// <summary>The scores that a run gives, after which its model is freed.</summary>
    public static float[][] TrainAndScore(this MLContext ml, SequenceClassificationOptions options, IDataView training, IDataView test)
    {
        using SequenceClassificationTransformer transformer = ml.Trainer(options).Fit(training);
        return Scores(transformer, test);
    }

    public static float[][] Scores(ITransformer transformer, IDataView data) => [.. transformer.Transform(data).GetColumn<float[]>("Score")];

    /// <summary>Mean of -log of the score of the row's label.</summary>
    public static double LogLoss(float[][] scores, IDataView data) =>
        scores.Zip(data.GetColumn<uint>("Label"), (row, label) => -Math.Log(row[label - 1])).Average();

    public static double Accuracy(float[][] scores, IDataView data) =>
        scores.Zip(data.GetColumn<uint>("Label"), (row, label) => Array.IndexOf(row, row.Max()) == label - 1 ? 1.0 : 0).Average();
}
