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

    public static void Data(string path, IDataView rows, DataOperationsCatalog.TrainTestData split, string label)
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
        Console.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable()); // as it is: wrapping would break its columns
    }

    public static void Predictions(MLContext ml, IDataView scored)
    {
        Heading("Some predictions");
        var table = new Spectre.Console.Table().AddColumns("Prompt", "Truth", "Prediction", "Probability");
        foreach (Scored row in ml.Data.CreateEnumerable<Scored>(ml.Data.TakeRows(scored, PredictionsShown), reuseRowObject: false))
            table.AddRow(Markup.Escape(Middle(row.Prompt.ReplaceLineEndings(" "))), Markup.Escape(row.Truth), Markup.Escape(row.Prediction), $"{row.Probability:P1}");
        AnsiConsole.Write(table);
    }

    /// <summary>A prompt begins with columns that say little: what is shown is taken from where its text is.</summary>
    private static string Middle(string prompt)
    {
        int start = Math.Max(0, (prompt.Length - TextWidth) / 2);
        return prompt.Length <= TextWidth ? prompt : $"…{prompt.Substring(start, TextWidth)}…";
    }

    private sealed class Scored
    {
        public string Prompt { get; set; } = "";

        public string Truth { get; set; } = "";

        public string Prediction { get; set; } = "";

        public float Probability { get; set; }
    }
}
