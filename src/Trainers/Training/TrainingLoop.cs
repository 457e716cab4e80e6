using System.Diagnostics;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>The engine: batches, loss, gradients, clipping, optimizer, validation with the best weights kept; the same for every task.</summary>
internal sealed class TrainingLoop<TRow> : IDisposable
{
    private readonly TrainingTask<TRow> _task;
    private readonly TrainingData<TRow> _data;
    private readonly FineTuningOptions _options;
    private readonly TrainingPlan _plan;
    private readonly Action _checkAlive;
    private readonly Optimizer _optimizer;
    private readonly WeightAverage? _average;
    private readonly UpdateStep<TRow> _update;
    private readonly WeightSnapshot _best = new(), _current = new();
    private readonly Stopwatch _clock = new();
    private long _step, _tokens;
    private double? _bestMerit;
    private int _validationsWithoutImprovement;

    /// <summary>Prepares a run.</summary>
    /// <param name="task">The job, with its model, of which is frozen what is not to be trained; not owned.</param>
    /// <param name="data">The rows.</param>
    /// <param name="options">Everything else.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    public TrainingLoop(TrainingTask<TRow> task, TrainingData<TRow> data, FineTuningOptions options, Action checkAlive)
    {
        (_task, _data, _options, _checkAlive) = (task, data, options, checkAlive);
        _plan = TrainingPlan.For(data.Count, options);
        _optimizer = Optimizers.Create(task.Model, options);
        if (options.AverageDecay is { } decay) _average = new WeightAverage(task.Model.parameters().Where(parameter => parameter.requires_grad), decay);
        _update = new UpdateStep<TRow>(task, _optimizer, options.MaxGradientNorm);
    }

    /// <summary>Told of every step and validation.</summary>
    public event Action<TrainingProgress>? Progressed;

    /// <summary>Whether training ended before its last epoch for want of improvement.</summary>
    public bool StoppedEarly { get; private set; }

    /// <summary>Trains. The model ends with the best validated weights, also when the run is cancelled.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="NotFiniteNumberException">The loss, a gradient or a weight is not a finite number.</exception>
    public void Run()
    {
        _clock.Start();
        // Dropout draws from the backend's own generator, which is the process's: it is given back as it was found.
        using Tensor generator = get_rng_state();
        random.manual_seed(_options.Seed);
        var pool = new ShufflePool<TRow>(_options.ShufflePoolSize, _options.BatchSize, _task.LengthOf);
        try
        {
            for (int epoch = 1; epoch <= _plan.Epochs && !StoppedEarly; epoch++)
            {
                _task.Model.train();
                double epochLoss = 0;
                long epochSteps = 0;
                TrainingProgress? last = null;
                foreach (TRow[] batch in pool.Batches(_data.Training.Read(_checkAlive), new Random(HashOf(_options.Seed, epoch))))
                {
                    last = Step(batch, epoch);
                    epochLoss += last.Loss;
                    epochSteps++;
                    Progressed?.Invoke(last);
                }

                if (_data.Validation is not null && last is not null) Validate(_data.Validation, last, epochLoss / epochSteps);
            }

            CheckWeights();
        }
        finally
        {
            set_rng_state(generator);
            _optimizer.ZeroGradients();
            if (_best.IsEmpty) _average?.CopyToParameters();
            else _best.Restore(_task.Model);
            _task.Model.eval();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _average?.Dispose();
        _best.Dispose();
        _current.Dispose();
    }

    private TrainingProgress Step(TRow[] batch, int epoch)
    {
        double learningRate = _plan.Rates.At(_step);
        int[] lengths = Array.ConvertAll(batch, _task.LengthOf);
        (double loss, double norm) = _update.Differentiate(batch, LengthBatches.Plan(lengths, _options.BatchSize, _options.MaxTokensPerBatch), _checkAlive);
        if (!double.IsFinite(loss) || !double.IsFinite(norm)) throw Diverged($"the loss is {loss} and the gradient norm {norm}", _step + 1, loss);
        _update.Apply(learningRate, norm);
        _average?.Update();
        _step++;
        _tokens += lengths.Sum(length => (long)length);
        return Report(epoch, loss, learningRate, norm, null);
    }

    private void Validate(EncodedRows<TRow> rows, TrainingProgress last, double epochLoss)
    {
        _task.Model.eval();
        if (_average is not null)
        {
            _current.Take(_task.Model);
            _average.CopyToParameters();
        }

        IReadOnlyDictionary<string, double> metrics = _task.Validate(rows.Read(_checkAlive), _checkAlive);
        ValidationMetric watched = _options.WatchedMetric;
        double value = metrics[watched.Name];
        if (!double.IsFinite(value)) throw Diverged($"{watched} on the validation rows after it is {value}", _step, value);
        int epoch = last.Epoch;
        bool isBest = _bestMerit is null || watched.Merit(value) > _bestMerit;
        if (isBest)
        {
            _bestMerit = watched.Merit(value);
            _validationsWithoutImprovement = 0;
            _best.Take(_task.Model);
        }
        else
        {
            StoppedEarly = ++_validationsWithoutImprovement >= _options.EarlyStoppingPatience && epoch < _plan.Epochs;
        }

        _current.Restore(_task.Model);
        Progressed?.Invoke(Report(epoch, epochLoss, last.LearningRate, last.GradientNorm, new ValidationResult(metrics, isBest)));
    }

    /// <summary>The last step has no loss after it that would show what it did.</summary>
    private void CheckWeights()
    {
        using var noGradients = no_grad();
        double squares = _task.Model.parameters().Where(parameter => parameter.requires_grad).Sum(parameter => GradientNorm.SumOfSquares(parameter));
        if (!double.IsFinite(squares)) throw Diverged($"the norm of the weights after it is {Math.Sqrt(squares)}", _step, squares);
    }

    private TrainingProgress Report(int epoch, double loss, double learningRate, double norm, ValidationResult? validation)
    {
        TimeSpan elapsed = _clock.Elapsed;
        return new TrainingProgress(epoch, _plan.Epochs, _step, _plan.Steps, loss, learningRate, norm,
            _tokens / Math.Max(elapsed.TotalSeconds, 1e-9), elapsed, elapsed * ((double)(_plan.Steps - _step) / _step), validation);
    }

    private NotFiniteNumberException Diverged(string found, long step, double value) => new(
        $"Training diverged at step {step} of {_plan.Steps}: {found}; expected finite numbers. "
        + $"Lower {nameof(_options.LearningRate)} (now {_plan.Rates.Peak}, {_plan.Rates.At(step - 1)} at this step), raise {nameof(_options.WarmupRatio)} (now {_options.WarmupRatio}) "
        + $"or lower {nameof(_options.MaxGradientNorm)} (now {_options.MaxGradientNorm}); if it happens at the first step, the model's weights are damaged.", value);

    private static int HashOf(int seed, int epoch) => unchecked((int)((uint)seed * 0x9E3779B1u ^ (uint)epoch * 0x85EBCA6Bu));
}
