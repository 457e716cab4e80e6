namespace MLComponents.Trainers.Tests;

/// <summary>Keeps what a run reports, and may do something at every report.</summary>
internal sealed class ProgressRecorder(Action<TrainingProgress>? then = null) : IProgress<TrainingProgress>
{
    public List<TrainingProgress> All { get; } = [];

    public IEnumerable<TrainingProgress> Steps => All.Where(progress => progress.Validation is null);

    public IEnumerable<TrainingProgress> Validations => All.Where(progress => progress.Validation is not null);

    public void Report(TrainingProgress value)
    {
        All.Add(value);
        then?.Invoke(value);
    }
}
