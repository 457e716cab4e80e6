namespace MLComponents.Trainers;

/// <summary>Draws a <see cref="TrainingHistory"/> as panels of lines over the steps.</summary>
internal static class HistoryPlot
{
    private const string StepColor = "#9ecae1", MeanColor = "#08519c", ValidationColor = "#d94801";

    public static string Draw(TrainingHistory history, int width, int height)
    {
        List<LinePlot> panels =
        [
            new("Loss", [new(StepColor, false, [.. history.Steps.Select(step => (step.Step, step.Loss))]), new(MeanColor, false, Smooth(history.Steps))]),
            new("Learning rate", [new(MeanColor, false, [.. history.Steps.Select(step => (step.Step, step.LearningRate))])]),
            .. history.Validations.SelectMany(report => report.Validation!.Metrics.Keys).Distinct().Select(metric => new LinePlot(
                $"Validation: {metric}", [new(ValidationColor, true, [.. history.Validations.Select(report => (report.Step, report.Validation!.Metrics.GetValueOrDefault(metric, double.NaN)))])])),
        ];
        return LinePlot.Draw(panels, "step", width, height);
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
}
