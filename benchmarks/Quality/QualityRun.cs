using MLComponents.Models;
using MLComponents.Trainers;

namespace MLComponents.Benchmarks;

/// <summary>What a run of fine-tuning may be told on the command line; the same for every task.</summary>
/// <param name="Model">A Hugging Face folder, or null for the tiny decoder.</param>
/// <param name="Data">The folder with a folder for each data set.</param>
/// <param name="Seed">Of the run, and of a split where the data has none.</param>
/// <param name="Rows">Most rows to train on.</param>
/// <param name="Epochs">Passes over the rows.</param>
/// <param name="BatchSize">Rows of an update.</param>
/// <param name="LearningRate">After the warm-up; null for what suits the model.</param>
/// <param name="MaxLength">Most tokens of a text, or null for the default.</param>
/// <param name="LoraRank">Of an adapter on all linear layers, or null to train all weights.</param>
/// <param name="WeightUpdate">How bfloat16 weights are updated.</param>
/// <param name="Precision">The format of weights and activations.</param>
internal sealed record QualityRun(string? Model, string Data, int Seed, int Rows, int Epochs, int BatchSize, double? LearningRate, int? MaxLength, int? LoraRank, WeightUpdate WeightUpdate, Precision Precision)
{
    /// <summary>Sets options; the reference's recipe where nothing else is said: weight decay 0.</summary>
    public T Apply<T>(T options)
        where T : FineTuningOptions
    {
        (options.Model, options.Seed, options.Epochs, options.BatchSize, options.LearningRate) = (Model, Seed, Epochs, BatchSize, LearningRate);
        (options.MaxLength, options.WeightUpdate, options.Precision, options.WeightDecay) = (MaxLength, WeightUpdate, Precision, 0);
        if (LoraRank is { } rank) options.Adapter = new LoraOptions { Rank = rank, Alpha = 2 * rank, TargetModules = ["all-linear"] };
        options.Progress = new Log(Console.Error);
        return options;
    }

    /// <summary>Writes how training goes, ten times an epoch.</summary>
    private sealed class Log(TextWriter writer) : IProgress<TrainingProgress>
    {
        private double _loss;
        private int _steps;

        public void Report(TrainingProgress value)
        {
            if (value.Validation is not null) return;
            _loss += value.Loss;
            _steps++;
            if (value.Step % Math.Max(1, value.Steps / (10 * value.Epochs)) != 0 && value.Step != value.Steps) return;
            writer.WriteLine($"epoch {value.Epoch}, step {value.Step} of {value.Steps}: loss {_loss / _steps:F4}, {value.TokensPerSecond:F0} tokens/s, {value.Elapsed.TotalMinutes:F1} min, {value.Remaining.TotalMinutes:F0} min to go");
            (_loss, _steps) = (0, 0);
        }
    }
}
