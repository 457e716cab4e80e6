using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;

namespace TicketRouting;

/// <summary>What the example prints.</summary>
internal static class Report
{
    private const int PredictionsShown = 5;
    private const int TextWidth = 70;

    public static void Heading(string text)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.Write(new Rule($"[bold]{Markup.Escape(text)}[/]") { Justification = Justify.Left });
    }

    public static void Data(MLContext ml, string path, IDataView rows, DataOperationsCatalog.TrainTestData split, string label)
    {
        Heading("Data");
        var counts = rows.GetColumn<string>(label).GroupBy(name => name).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        AnsiConsole.WriteLine($"{Path.GetFileName(path)}: {counts.Sum(group => group.Count())} rows, columns {string.Join(", ", rows.Schema.Where(c => !c.IsHidden).Select(c => c.Name))}");
        AnsiConsole.WriteLine($"{split.TrainSet.GetColumn<string>(label).Count()} to train on, {split.TestSet.GetColumn<string>(label).Count()} to test with");
        AnsiConsole.WriteLine(string.Join(", ", counts.Select(group => $"{group.Key} {group.Count()}")));
    }

    public static void Comparison(params (string Name, MulticlassClassificationMetrics Metrics, TimeSpan Time)[] rows)
    {
        Heading("On the test rows");
        var table = new Spectre.Console.Table().AddColumns("", "Micro-accuracy", "Macro-accuracy", "Log-loss", "Time");
        foreach ((string name, MulticlassClassificationMetrics metrics, TimeSpan time) in rows)
            table.AddRow(name, $"{metrics.MicroAccuracy:P1}", $"{metrics.MacroAccuracy:P1}", $"{metrics.LogLoss:F3}", $"{time.TotalSeconds:F0} s");
        AnsiConsole.Write(table);
    }

    public static void Confusion(MulticlassClassificationMetrics metrics)
    {
        Heading("Confusion matrix of the fine-tuned decoder");
        AnsiConsole.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable());
    }

    public static void Predictions(MLContext ml, IDataView scored, string label)
    {
        Heading("Some predictions");
        var table = new Spectre.Console.Table().AddColumns("Text", "Truth", "Prediction", "Probability");
        foreach (Prediction row in ml.Data.CreateEnumerable<Prediction>(ml.Transforms.CopyColumns("Truth", label).Fit(scored).Transform(ml.Data.TakeRows(scored, PredictionsShown)), reuseRowObject: false))
        {
            string text = row.Prompt.Split("\n\n")[1].ReplaceLineEndings(" ");
            table.AddRow(Markup.Escape(text.Length > TextWidth ? text[..TextWidth] + "…" : text), Markup.Escape(row.Truth), Markup.Escape(row.PredictedQueue), $"{row.Probability:P1}");
        }

        AnsiConsole.Write(table);
    }

    private sealed class Prediction
    {
        public string Prompt { get; set; } = "";

        public string Truth { get; set; } = "";

        public string PredictedQueue { get; set; } = "";

        public float Probability { get; set; }
    }
}
