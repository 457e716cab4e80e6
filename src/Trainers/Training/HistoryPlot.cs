using System.Globalization;
using System.Net;
using System.Text;

namespace MLComponents.Trainers;

/// <summary>Draws a <see cref="TrainingHistory"/> as panels of lines over the steps.</summary>
internal static class HistoryPlot
{
    private const int Left = 70, Right = 20, Top = 28, Bottom = 28;
    private const string StepColor = "#9ecae1", MeanColor = "#08519c", ValidationColor = "#d94801";

    public static string Draw(TrainingHistory history, int width, int height)
    {
        List<(string Title, List<Line> Lines)> panels =
        [
            ("Loss", [new(StepColor, false, [.. history.Steps.Select(step => (step.Step, step.Loss))]), new(MeanColor, false, Smooth(history.Steps))]),
            ("Learning rate", [new(MeanColor, false, [.. history.Steps.Select(step => (step.Step, step.LearningRate))])]),
            .. history.Validations.SelectMany(report => report.Validation!.Metrics.Keys).Distinct().Select(metric => ($"Validation: {metric}", new List<Line>
            {
                new(ValidationColor, true, [.. history.Validations.Select(report => (report.Step, report.Validation!.Metrics.GetValueOrDefault(metric, double.NaN)))]),
            })),
        ];
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height * panels.Count}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        for (int panel = 0; panel < panels.Count; panel++) Draw(svg, panels[panel].Title, panels[panel].Lines, width, height, panel * height);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Draw(StringBuilder svg, string title, List<Line> lines, int width, int height, int top)
    {
        (long Step, double Value)[] all = [.. lines.SelectMany(line => line.Points).Where(point => double.IsFinite(point.Value))];
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{top + Top - 10}\" font-weight=\"bold\">{WebUtility.HtmlEncode(title)}</text>\n");
        if (all.Length == 0) return;
        double first = all.Min(point => point.Step), last = Math.Max(first + 1, all.Max(point => point.Step));
        double least = all.Min(point => point.Value), most = all.Max(point => point.Value);
        if (most <= least) (least, most) = (least - Math.Max(1e-12, Math.Abs(least) * 0.5), most + Math.Max(1e-12, Math.Abs(most) * 0.5));
        double X(double step) => Left + ((step - first) / (last - first) * (width - Left - Right));
        double Y(double value) => top + Top + ((most - value) / (most - least) * (height - Top - Bottom));

        foreach (double value in new[] { least, (least + most) / 2, most })
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{width - Right}\" y1=\"{Y(value):F1}\" y2=\"{Y(value):F1}\" stroke=\"#ddd\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{Y(value) + 4:F1}\" text-anchor=\"end\">{value:G4}</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{top + height - 8}\">step {first}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{width - Right}\" y=\"{top + height - 8}\" text-anchor=\"end\">{last}</text>\n");
        foreach (Line line in lines)
        {
            (long Step, double Value)[] points = [.. line.Points.Where(point => double.IsFinite(point.Value))];
            string path = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Step):F1},{Y(point.Value):F1}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{line.Color}\" stroke-width=\"1.5\" points=\"{path}\"/>\n");
            if (!line.Marked) continue;
            foreach ((long step, double value) in points) svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(step):F1}\" cy=\"{Y(value):F1}\" r=\"3\" fill=\"{line.Color}\"/>\n");
        }
    }

    /// <summary>The mean loss up to each step, of which later ones count more: with a memory of a twentieth of the run.</summary>
    private static List<(long Step, double Value)> Smooth(IReadOnlyList<TrainingProgress> steps)
    {
        double keep = 1 - (1 / Math.Max(1, steps.Count / 20.0)), sum = 0, weight = 0;
        var smooth = new List<(long, double)>();
        foreach (TrainingProgress step in steps.Where(step => double.IsFinite(step.Loss)))
        {
            (sum, weight) = ((sum * keep) + step.Loss, (weight * keep) + 1);
            smooth.Add((step.Step, sum / weight));
        }

        return smooth;
    }

    private sealed record Line(string Color, bool Marked, List<(long Step, double Value)> Points);
}
