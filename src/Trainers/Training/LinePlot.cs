using System.Globalization;
using System.Net;
using System.Text;

namespace MLComponents.Trainers;

/// <summary>Panels of lines over whole numbers, one below the other, as SVG.</summary>
/// <param name="Title">Stands above the panel.</param>
/// <param name="Lines">The lines; points that are not finite are left out.</param>
internal sealed record LinePlot(string Title, IReadOnlyList<LinePlot.Line> Lines)
{
    private const int Left = 70, Right = 20, Top = 28, Bottom = 28;

    /// <summary>Draws panels.</summary>
    /// <param name="panels">The panels.</param>
    /// <param name="axis">What is counted from left to right.</param>
    /// <param name="width">The width in pixels.</param>
    /// <param name="height">The height of a panel in pixels.</param>
    /// <param name="startsAtZero">Whether both axes begin at 0 rather than at the least value.</param>
    public static string Draw(IReadOnlyList<LinePlot> panels, string axis, int width, int height, bool startsAtZero = false)
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height * panels.Count}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        for (int panel = 0; panel < panels.Count; panel++) panels[panel].Draw(svg, axis, width, height, panel * height, startsAtZero);
        return svg.Append("</svg>\n").ToString();
    }

    private void Draw(StringBuilder svg, string axis, int width, int height, int top, bool startsAtZero)
    {
        (long Step, double Value)[] all = [.. Lines.SelectMany(line => line.Points).Where(point => double.IsFinite(point.Value))];
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{top + Top - 10}\" font-weight=\"bold\">{WebUtility.HtmlEncode(Title)}</text>\n");
        if (all.Length == 0) return;
        double first = startsAtZero ? 0 : all.Min(point => point.Step), last = Math.Max(first + 1, all.Max(point => point.Step));
        double least = startsAtZero ? 0 : all.Min(point => point.Value), most = all.Max(point => point.Value);
        if (most <= least) (least, most) = (least - Math.Max(1e-12, Math.Abs(least) * 0.5), most + Math.Max(1e-12, Math.Abs(most) * 0.5));
        double X(double step) => Left + ((step - first) / (last - first) * (width - Left - Right));
        double Y(double value) => top + Top + ((most - value) / (most - least) * (height - Top - Bottom));

        foreach (double value in new[] { least, (least + most) / 2, most })
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{width - Right}\" y1=\"{Y(value):F1}\" y2=\"{Y(value):F1}\" stroke=\"#ddd\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{Y(value) + 4:F1}\" text-anchor=\"end\">{value:G4}</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{top + height - 8}\">{WebUtility.HtmlEncode(axis)} {first}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{width - Right}\" y=\"{top + height - 8}\" text-anchor=\"end\">{last}</text>\n");
        string names = string.Join("  ", Lines.Where(line => line.Name is not null).Select(line => $"<tspan fill=\"{line.Color}\">{WebUtility.HtmlEncode(line.Name)}</tspan>"));
        if (names.Length > 0) svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{width - Right}\" y=\"{top + Top - 10}\" text-anchor=\"end\" xml:space=\"preserve\">{names}</text>\n");
        foreach (Line line in Lines)
        {
            (long Step, double Value)[] points = [.. line.Points.Where(point => double.IsFinite(point.Value))];
            string path = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Step):F1},{Y(point.Value):F1}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{line.Color}\" stroke-width=\"1.5\" points=\"{path}\"/>\n");
            if (!line.Marked) continue;
            foreach ((long step, double value) in points) svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(step):F1}\" cy=\"{Y(value):F1}\" r=\"3\" fill=\"{line.Color}\"/>\n");
        }
    }

    /// <summary>A line.</summary>
    /// <param name="Color">Its color.</param>
    /// <param name="Marked">Whether its points are marked.</param>
    /// <param name="Points">Its points, from left to right.</param>
    /// <param name="Name">Stands above the panel in the line's color, or null.</param>
    public sealed record Line(string Color, bool Marked, List<(long Step, double Value)> Points, string? Name = null);
}
