using System.Reflection;
using Microsoft.ML;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class CancellationTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void A_run_cancelled_within_an_epoch_gives_the_model_so_far()
    {
        IDataView data = Tickets.View(_ml, 64);
        using var source = new CancellationTokenSource();
        var progress = new ProgressRecorder(now => { if (now.Step == 3) source.Cancel(); });
        var cancelled = Assert.Throws<TrainingCanceledException>(
            () => _ml.Trainer(folder.Options(options => (options.Progress, options.CancellationToken, options.Epochs) = (progress, source.Token, 10))).Fit(data));
        Assert.Equal(3, progress.All.Count);
        Assert.Equal(source.Token, cancelled.CancellationToken);
        Assert.Contains("Model", cancelled.Message);
        CheckUsable(cancelled.Model, data);
    }

    [Fact]
    public void A_run_cancelled_after_a_validation_gives_the_best_weights()
    {
        IDataView training = Tickets.View(_ml, 64), contradicting = Runs.Contradicting(_ml, 32);
        SequenceClassificationOptions Options(int epochs, ProgressRecorder? progress, CancellationTokenSource? source) => folder.Options(options =>
        {
            (options.Epochs, options.Progress, options.CancellationToken, options.ValidationSet) = (epochs, progress, source?.Token ?? CancellationToken.None, contradicting);
            (options.Schedule, options.WarmupRatio) = (LearningRateSchedule.Constant, 0);
        });
        using var source = new CancellationTokenSource();
        var progress = new ProgressRecorder(now => { if (now.Step == 6) source.Cancel(); });
        using var model = (SequenceClassificationTransformer)Assert.Throws<TrainingCanceledException>(() => _ml.Trainer(Options(5, progress, source)).Fit(training)).Model;
        Assert.Equal(_ml.TrainAndScore(Options(1, null, null), training, contradicting), Runs.Scores(model, contradicting));
    }

    [Fact]
    public void A_run_cancelled_before_its_first_step_gives_nothing()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        IDataView data = Tickets.View(_ml, 32);
        var progress = new ProgressRecorder();
        var cancelled = Assert.Throws<OperationCanceledException>(
            () => _ml.Trainer(folder.Options(options => (options.Progress, options.CancellationToken) = (progress, source.Token))).Fit(data));
        Assert.Equal(source.Token, cancelled.CancellationToken);
        Assert.Empty(progress.All);
    }

    [Fact]
    public void Cancelling_the_context_does_the_same()
    {
        IDataView data = Tickets.View(_ml, 64);
        var progress = new ProgressRecorder(now => { if (now.Step == 2) Cancel(_ml); });
        SequenceClassificationEstimator trainer = _ml.Trainer(folder.Options(options => options.Progress = progress));
        TrainingCanceledException cancelled = Assert.Throws<TrainingCanceledException>(() => trainer.Fit(data));
        Assert.Equal(2, progress.All.Count);
        CheckUsable(cancelled.Model, Tickets.View(new MLContext(), 64));
        Assert.Throws<OperationCanceledException>(() => trainer.Fit(data));
        Assert.Equal(2, progress.All.Count);
    }

    private static void CheckUsable(ITransformer trained, IDataView data)
    {
        using (var model = (SequenceClassificationTransformer)trained)
        {
            float[][] scores = Runs.Scores(model, data);
            Assert.All(scores, row => Assert.Equal(1, row.Sum(), 1e-4));
            using var loaded = (SequenceClassificationTransformer)EstimatorContract.Reload(new MLContext(), model, data.Schema);
            Assert.Equal(scores, Runs.Scores(loaded, data));
        }
    }

    /// <summary>What ML.NET's own AutoML calls; it is not public.</summary>
    private static void Cancel(MLContext ml) =>
        typeof(MLContext).GetMethod("CancelExecution", BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Instance)!.Invoke(ml, null);
}
