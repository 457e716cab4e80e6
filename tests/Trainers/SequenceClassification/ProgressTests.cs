using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLComponents.Trainers.Tests;

public class ProgressTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly ProgressRecorder _progress = new();

    [Fact]
    public void Every_step_and_validation_is_reported()
    {
        IDataView data = Tickets.View(_ml, 40);
        _ml.Trainer(folder.Options(options => (options.Progress, options.ValidationSet, options.Epochs, options.WarmupRatio) = (_progress, data, 2, 0.5))).Fit(data).Dispose();

        Assert.Equal([1, 2, 3, 3, 4, 5, 6, 6], _progress.All.Select(progress => progress.Step));
        Assert.Equal([1, 1, 1, 1, 2, 2, 2, 2], _progress.All.Select(progress => progress.Epoch));
        Assert.Equal([false, false, false, true, false, false, false, true], _progress.All.Select(progress => progress.Validation is not null));
        Assert.All(_progress.All, progress => Assert.Equal((6, 2), (progress.Steps, progress.Epochs)));
        double[] shares = [0, 1.0 / 3, 2.0 / 3, 2.0 / 3, 1, 2.0 / 3, 1.0 / 3, 1.0 / 3];
        Assert.Equal(shares.Select(share => Math.Round(share * 5e-3, 10)), _progress.All.Select(progress => Math.Round(progress.LearningRate, 10)));
        Assert.All(_progress.All, progress => Assert.True(progress.Loss > 0 && double.IsFinite(progress.Loss) && progress.GradientNorm > 0 && progress.TokensPerSecond > 0));
        Assert.Equal(_progress.Steps.Take(3).Average(progress => progress.Loss), _progress.All[3].Loss, 1e-9);
        Assert.Equal(_progress.All[2].GradientNorm, _progress.All[3].GradientNorm);
        Assert.Equal(_progress.All.Select(progress => progress.Elapsed).Order(), _progress.All.Select(progress => progress.Elapsed));
        Assert.All(_progress.All.SkipLast(2), progress => Assert.True(progress.Remaining > TimeSpan.Zero));
        Assert.Equal(TimeSpan.Zero, _progress.All[^1].Remaining);
    }

    [Fact]
    public void The_log_tells_the_plan_the_steps_and_the_epochs()
    {
        var log = new LogRecorder(_ml);
        IDataView data = Tickets.View(_ml, 40);
        _ml.Trainer(folder.Options(options => options.ValidationFraction = 0.3)).Fit(data).Dispose();
        string[] told = log.Of(ChannelMessageKind.Info);
        Assert.Contains(told, message => message.Contains("steps in 2 epochs on cpu, Float32"));
        Assert.Contains(told, message => message.Contains("Step 1/") && message.Contains("learning rate") && message.Contains("to go"));
        Assert.Contains(told, message => message.Contains("Epoch 2/2: loss") && message.Contains("validation LogLoss"));
        Assert.DoesNotContain(log.Of(ChannelMessageKind.Warning), message => message.Contains("cut"));
    }

    [Fact]
    public void Texts_longer_than_the_context_are_counted_reported_and_scored()
    {
        var log = new LogRecorder(_ml);
        IDataView Long(int count, int extra)
        {
            Tickets.Ticket[] rows = Tickets.Rows(count);
            for (int row = 0; row < extra; row++) rows[row].Text = new string('a', TinyModel.Context + 1 + row);
            return Tickets.Keyed(_ml, _ml.Data.LoadFromEnumerable(rows));
        }

        IDataView training = Long(32, 5);
        using var transformer = _ml.Trainer(folder.Options(options => options.ValidationSet = Long(16, 2))).Fit(training);
        string[] warnings = log.Of(ChannelMessageKind.Warning);
        Assert.Contains(warnings, message => message.Contains("5 training texts were longer than 64 tokens and were cut (End)"));
        Assert.Contains(warnings, message => message.Contains("2 validation texts were longer than 64 tokens and were cut (End)"));
        float[][] scores = Runs.Scores(transformer, training);
        Assert.All(scores, row => Assert.Equal(1, row.Sum(), 1e-4));
        Assert.Contains(log.Of(ChannelMessageKind.Warning), message => message.Contains("5 of 32 texts of column 'Text' had more than 64 tokens"));
    }

    [Fact]
    public void What_a_listener_throws_ends_the_run()
    {
        IDataView data = Tickets.View(_ml, 40);
        var failing = new ProgressRecorder(_ => throw new TimeoutException("the listener's own"));
        Assert.Equal("the listener's own", Assert.Throws<TimeoutException>(() => _ml.Trainer(folder.Options(options => options.Progress = failing)).Fit(data)).Message);
    }
}
