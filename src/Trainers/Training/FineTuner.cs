using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>What every estimator does once its rows are checked and its model is loaded: train, tell the log, and hand over a transformer.</summary>
/// <param name="host">The estimator's place in ML.NET.</param>
/// <param name="options">How to train.</param>
internal sealed class FineTuner(IHost host, FineTuningOptions options)
{
    private const int MessagesPerRun = 20;

    /// <summary>Throws when the run has been cancelled, by its token or by the whole context.</summary>
    /// <exception cref="OperationCanceledException">It has.</exception>
    public void CheckAlive()
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        MLNetInterop.CheckAlive(host);
    }

    /// <summary>Trains the model of a task and gives the transformer over it.</summary>
    /// <param name="task">The job. Freed at the end; its model, too, unless a transformer has taken it over.</param>
    /// <param name="data">The rows.</param>
    /// <param name="subject">What the rows are, for the log: "96 rows of 3 labels".</param>
    /// <param name="transformer">Makes the transformer, in the environment where it is to score.</param>
    /// <exception cref="NotFiniteNumberException">The loss, a gradient or a weight is not a finite number.</exception>
    /// <exception cref="TrainingCanceledException">The run was cancelled after its first step.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before that.</exception>
    public TTransformer Fit<TRow, TTransformer>(TrainingTask<TRow> task, TrainingData<TRow> data, string subject, Func<IHostEnvironment, TTransformer> transformer)
        where TTransformer : ITransformer
    {
        try
        {
            using IChannel channel = host.Start("Fit");
            CheckpointWarnings.Tell(channel, task.Model, options.Model ?? "this library's decoder");
            TrainingPlan plan = TrainingPlan.For(task, data, options, CheckAlive);
            channel.Info(MessageSensitivity.None, $"Training on {subject}: {plan.Steps} steps in {plan.Epochs} epochs on {task.Model.parameters().First().device}, {options.Precision}.");
            OperationCanceledException? cancelled = Train(task, data, plan, () => transformer(host).Transform(options.ValidationSet!), channel);
            TTransformer trained = transformer(LivingEnvironment());
            return cancelled is null
                ? trained
                : throw new TrainingCanceledException($"Training was cancelled. {nameof(TrainingCanceledException.Model)} of this exception holds what was learnt so far.", trained, cancelled);
        }
        catch (Exception error) when (error is not TrainingCanceledException)
        {
            task.Model.Dispose();
            throw;
        }
        finally
        {
            task.Dispose();
        }
    }

    /// <summary>Trains; gives the cancellation that ended the run after its first step, or null.</summary>
    private OperationCanceledException? Train<TRow>(TrainingTask<TRow> task, TrainingData<TRow> data, TrainingPlan plan, Func<IDataView> scoreValidationSet, IChannel channel)
    {
        using var mode = new TrainingMode(task.Model, options);
        (int tokensAtOnce, long prefixBytes) = Memory(task, data, channel);
        using var run = new TrainingLoop<TRow>(task, data, plan, options, scoreValidationSet, tokensAtOnce, prefixBytes, CheckAlive);
        run.Informed += message => channel.Info(MessageSensitivity.None, message);
        run.Warned += message => channel.Warning(MessageSensitivity.None, message);
        run.Progressed += progress =>
        {
            Tell(channel, progress);
            options.Progress?.Report(progress);
        };
        try
        {
            run.Run();
        }
        catch (OperationCanceledException cancelled) when (run.HasBegun)
        {
            return cancelled;
        }
        finally
        {
            TellTruncated(channel, "training", data.Training.Truncated, data.MaxLength);
            TellTruncated(channel, "validation", data.Validation?.Truncated ?? 0, data.MaxLength);
        }

        if (run.StoppedEarly) channel.Info(MessageSensitivity.None, $"Stopped early: {options.WatchedMetric} has not improved for {options.EarlyStoppingPatience} validations; the best weights are kept.");
        return null;
    }

    /// <summary>As many tokens at once as asked for and as many bytes for what frozen layers make of the rows, or what there is memory for.</summary>
    private (int Tokens, long PrefixBytes) Memory<TRow>(TrainingTask<TRow> task, TrainingData<TRow> data, IChannel channel)
    {
        long prefix = task.Texts is { } texts && FrozenPrefix.Suits(task.Model, data.MaxLength) ? Math.Min(options.PrefixCacheBytes, FrozenPrefix.BytesFor(texts, data.Count, data.MaxLength)) : 0;
        if (task.Model.parameters().First().device_type != TorchSharp.DeviceType.CPU) return (options.MaxTokensPerBatch, options.PrefixCacheBytes);
        MemoryEstimate estimate = MemoryEstimate.Of(task.Model, options) with { Prefix = prefix };
        long available = MemoryEstimate.Available();
        int tokens = estimate.TokensWithin(options.MaxTokensPerBatch, available);
        long kept = estimate.PrefixWithin(tokens, available);
        string states = prefix > 0 ? $", up to {MemoryEstimate.Size(kept)} for what frozen layers make of the rows" : "";
        channel.Info(MessageSensitivity.None, $"Training will take about {MemoryEstimate.Size(estimate.Fixed)} beside the model{states} and up to {MemoryEstimate.Size(tokens * estimate.ActivationsPerToken)} for activations; {MemoryEstimate.Size(available)} are free.");
        if (tokens < options.MaxTokensPerBatch)
            channel.Warning(MessageSensitivity.None, $"Memory is short: batches are read in parts of at most {tokens} tokens, not {options.MaxTokensPerBatch} ({nameof(options.MaxTokensPerBatch)}). That changes no result but for rounding.");
        if (kept < prefix)
            channel.Warning(MessageSensitivity.None, $"Memory is short: {MemoryEstimate.Size(kept)}, not {MemoryEstimate.Size(prefix)}, are kept of what frozen layers make of the rows ({nameof(options.PrefixCacheBytes)}); the rest {(options.PrefixCacheFolder is null ? "is computed anew each time" : "goes to the disk")}.");
        return (tokens, kept < prefix ? kept : options.PrefixCacheBytes);
    }

    private static void Tell(IChannel channel, TrainingProgress progress)
    {
        if (progress.Validation is { } result)
            channel.Info(MessageSensitivity.None, $"Epoch {progress.Epoch}/{progress.Epochs}: loss {progress.Loss:F4}; validation {string.Join(", ", result.Metrics.Select(metric => $"{metric.Key} {metric.Value:F4}"))}{(result.IsBest ? ", the best so far" : "")}.");
        else if (progress.Step % Math.Max(1, progress.Steps / MessagesPerRun) == 0)
            channel.Info(MessageSensitivity.None, $"Step {progress.Step}/{progress.Steps} (epoch {progress.Epoch}/{progress.Epochs}): loss {progress.Loss:F4}, learning rate {progress.LearningRate:G3}, {progress.TokensPerSecond:F0} tokens/s, {TimeSpan.FromSeconds(Math.Ceiling(progress.Remaining.TotalSeconds)):c} to go.");
    }

    private void TellTruncated(IChannel channel, string kind, long truncated, int maxLength)
    {
        if (truncated > 0)
            channel.Warning(MessageSensitivity.None, $"{truncated} {kind} texts were longer than {maxLength} tokens and were cut ({options.TruncationSide}). Raise {nameof(options.MaxLength)}, or shorten the texts in the prompt.");
    }

    /// <summary>Where the model is to score: in the trainer's environment or, where that was cancelled for good, in a fresh one.</summary>
    private IHostEnvironment LivingEnvironment()
    {
        try
        {
            MLNetInterop.CheckAlive(host);
            return host;
        }
        catch (OperationCanceledException)
        {
            return new MLContext();
        }
    }
}
