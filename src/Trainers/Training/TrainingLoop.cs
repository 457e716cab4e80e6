using System.Diagnostics;
using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>The engine: batches, loss, gradients, clipping, optimizer, checkpoints, validation with the best weights kept; the same for every task.</summary>
internal sealed class TrainingLoop<TRow> : IDisposable
{
    private const int MostSkippedInARow = 20;

    private readonly TrainingTask<TRow> _task;
    private readonly TrainingData<TRow> _data;
    private readonly FineTuningOptions _options;
    private readonly TrainingPlan _plan;
    private readonly Action _checkAlive;
    private readonly Func<IDataView> _scoreValidationSet;
    private readonly Optimizer _optimizer;
    private readonly WeightAverage? _average;
    private readonly UpdateStep<TRow> _update;
    private readonly ShufflePool<TRow> _pool;
    private readonly WeightSnapshot _best = new(), _current = new();
    private readonly CheckpointFolder? _folder;
    private readonly Stopwatch _clock = new();
    private RunCheckpoint? _checkpoint;
    private FrozenPrefix? _prefix;
    private RunState _state = new();

    /// <summary>Prepares a run.</summary>
    /// <param name="task">The job, with its model, of which is frozen what is not to be trained; not owned.</param>
    /// <param name="data">The rows.</param>
    /// <param name="plan">The steps.</param>
    /// <param name="options">Everything else.</param>
    /// <param name="scoreValidationSet">Scores the validation set of the options with the model as it is, for metrics of the user's own.</param>
    /// <param name="tokensAtOnce">Most tokens that are read at once, padding included.</param>
    /// <param name="prefixBytes">Most memory for what frozen layers make of the rows, in bytes.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    public TrainingLoop(
        TrainingTask<TRow> task, TrainingData<TRow> data, TrainingPlan plan, FineTuningOptions options, Func<IDataView> scoreValidationSet, int tokensAtOnce, long prefixBytes, Action checkAlive)
    {
        (_state.TokensAtOnce, _state.PrefixBytes) = (tokensAtOnce, prefixBytes);
        (_task, _data, _plan, _options, _scoreValidationSet, _checkAlive) = (task, data, plan, options, scoreValidationSet, checkAlive);
        _optimizer = Optimizers.Create(task.Model, options);
        if (Optimizers.KeepsRows(task.Model, options)) _optimizer.Use(task.Model.Decoder.EmbeddingGradient = new RowGradient(task.Model.Decoder.EmbeddingWeight));
        if (options.AverageDecay is { } decay) _average = new WeightAverage(task.Model.parameters().Where(parameter => parameter.requires_grad), decay);
        _update = new UpdateStep<TRow>(task, _optimizer, options.MaxGradientNorm);
        _pool = new ShufflePool<TRow>(options.ShufflePoolSize, BatchLimit.Of(options), task.LengthOf);
        if (options.CheckpointFolder is { } folder) _folder = new CheckpointFolder(folder, options.CheckpointsKept);
    }

    /// <summary>Told of every step and validation.</summary>
    public event Action<TrainingProgress>? Progressed;

    /// <summary>Told of what a user should know.</summary>
    public event Action<string>? Informed;

    /// <summary>Told of what a user should see to.</summary>
    public event Action<string>? Warned;

    /// <summary>Whether there are steps behind it, of this process or an earlier one.</summary>
    public bool HasBegun => _state.Step > 0;

    /// <summary>Whether training ended before its last epoch for want of improvement.</summary>
    public bool StoppedEarly => _state.StoppedEarly;

    /// <summary>Trains. The model ends with the best validated weights, also when the run is cancelled.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="NotFiniteNumberException">The loss, a gradient or a weight is not a finite number.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint folder has a checkpoint of another run.</exception>
    public void Run()
    {
        // Dropout draws from the backend's own generator, which is the process's: it is given back as it was found.
        using Tensor generator = get_rng_state();
        random.manual_seed(_options.Seed);
        try
        {
            Resume();
            if (_task.Texts is { } texts) texts.TokensAtOnce = _state.TokensAtOnce;
            _clock.Start();
            RunFrozenLayers();
            while (_state.Epoch <= _plan.Epochs && !_state.StoppedEarly) RunEpoch();
            CheckWeights();
            _folder?.Clear();
        }
        finally
        {
            set_rng_state(generator);
            _optimizer.ZeroGradients();
            if (_best.IsEmpty) _average?.CopyToParameters();
            else _best.Restore(_task.Model);
            _task.Model.eval();
            if (_state.Skipped > 0) Warned?.Invoke($"{_state.Skipped} of {_state.Step} steps were skipped, because their loss or gradients were not finite numbers.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _task.Model.Decoder.EmbeddingGradient = null;
        if (_prefix is not null) _task.Texts!.Prefix = null;
        _prefix?.Dispose();
        _optimizer.Dispose();
        _average?.Dispose();
        _best.Dispose();
        _current.Dispose();
    }

    /// <summary>Goes on from the newest checkpoint that is whole, if there is one.</summary>
    private void Resume()
    {
        if (_folder is null) return;
        _folder.Prepare();
        _checkpoint = new RunCheckpoint(_task.Model, _optimizer, _average, _best, _options.History, RunDescription.Of(_task, _data, _options, _checkAlive));
        foreach (string path in _folder.NewestFirst())
        {
            try
            {
                _state = _checkpoint.Read(path);
                Informed?.Invoke($"Going on after step {_state.Step} of {_plan.Steps}, from {path}.");
                return;
            }
            catch (FormatException error)
            {
                Warned?.Invoke($"The checkpoint {path} is damaged and is left out: {error.Message}");
            }
        }
    }

    /// <summary>What layers below the lowest one that is trained make of all rows is computed once.</summary>
    private void RunFrozenLayers()
    {
        if (_options.PrefixCacheBytes == 0 && _options.PrefixCacheFolder is null) return;
        if (_task.Texts is not { } texts || !FrozenPrefix.Suits(_task.Model, _data.MaxLength)) return;
        var states = new TextStates(_state.PrefixBytes, _options.PrefixCacheFolder is { } folder ? () => TextStates.OpenTemporary(folder) : null);
        states.Warned += message => Warned?.Invoke(message);
        _prefix = texts.Prefix = new FrozenPrefix(texts, states);
        Informed?.Invoke($"Running the {_prefix.Layers} lowest layers, which are not trained, once over all rows.");
        bool areKept = _prefix.Fill(_data.Training.Read(_checkAlive).Select(_task.IdsOf), _checkAlive);
        if (areKept && _data.Validation is { } validation) areKept = _prefix.Fill(validation.Read(_checkAlive).Select(_task.IdsOf), _checkAlive);
        Informed?.Invoke($"{_prefix.Computed} texts were read once; {MemoryEstimate.Size(states.BytesInMemory)} of states are in memory and {MemoryEstimate.Size(states.BytesInFile)} on the disk."
            + (areKept ? "" : $" The others are computed anew in every epoch: raise {nameof(_options.PrefixCacheBytes)}, or name a {nameof(_options.PrefixCacheFolder)}."));
    }

    private void RunEpoch()
    {
        _task.Model.train();
        Random order = TrainingPlan.OrderOf(_options.Seed, _state.Epoch);
        foreach (TRow[] batch in _pool.Batches(_data.Training.Read(_checkAlive), order).Skip(_state.Batch))
        {
            Step(batch);
            if (_state.Step % _options.ValidationSteps == 0) Validate();
            if (_state.StoppedEarly) return;
            if (_state.Step % _options.CheckpointSteps == 0) WriteCheckpoint();
        }

        if (_options.ValidationSteps is null || _state.Step == _plan.Steps) Validate();
        _state.NextEpoch();
        if (_options.CheckpointSteps is null && _state.Epoch <= _plan.Epochs && !_state.StoppedEarly) WriteCheckpoint();
    }

    private void Step(TRow[] batch)
    {
        double learningRate = _plan.Rates.At(_state.Step);
        int[] lengths = Array.ConvertAll(batch, _task.LengthOf);
        (double loss, double norm) = _update.Differentiate(batch, Parts(lengths), _checkAlive);
        if (double.IsFinite(loss) && double.IsFinite(norm))
        {
            _update.Apply(learningRate, norm);
            _average?.Update();
            (_state.EpochLoss, _state.EpochSteps, _state.SkippedInARow) = (_state.EpochLoss + loss, _state.EpochSteps + 1, 0);
        }
        else if (_options.NonFiniteHandling == NonFiniteHandling.Stop || ++_state.SkippedInARow > MostSkippedInARow)
        {
            throw Diverged($"the loss is {loss} and the gradient norm {norm}", _state.Step + 1, loss);
        }
        else
        {
            _optimizer.ZeroGradients();
            _state.Skipped++;
        }

        _state.Step++;
        _state.Batch++;
        _state.Tokens += lengths.Sum(length => (long)length);
        (_state.Loss, _state.LearningRate, _state.GradientNorm) = (loss, learningRate, norm);
        Report(loss, null);
    }

    /// <summary>Which rows of a batch are read at once: all, unless they are too many tokens.</summary>
    private IReadOnlyList<int[]> Parts(int[] lengths) => _task.Texts?.Parts(lengths) ?? LengthBatches.Plan(lengths, lengths.Length, _state.TokensAtOnce);

    private void Validate()
    {
        if (_data.Validation is null || _state.ValidatedStep == _state.Step) return;
        _state.ValidatedStep = _state.Step;
        IReadOnlyDictionary<string, double> metrics = Measure(_data.Validation);
        ValidationMetric watched = _options.WatchedMetric;
        double value = metrics[watched.Name];
        if (!double.IsFinite(value)) throw Diverged($"{watched} on the validation rows after it is {value}", _state.Step, value);
        bool isBest = _state.BestMerit is null || watched.Merit(value) > _state.BestMerit;
        if (isBest)
        {
            (_state.BestMerit, _state.ValidationsWithoutImprovement) = (watched.Merit(value), 0);
            _best.Take(_task.Model);
        }
        else
        {
            _state.StoppedEarly = ++_state.ValidationsWithoutImprovement >= _options.EarlyStoppingPatience && _state.Step < _plan.Steps;
        }

        if (_average is not null) _current.Restore(_task.Model);
        _task.Model.train();
        Report(_state.EpochLoss / Math.Max(1, _state.EpochSteps), new ValidationResult(metrics, isBest));
    }

    /// <summary>Measures the model, or the average of its weights, which are then in its place.</summary>
    private IReadOnlyDictionary<string, double> Measure(EncodedRows<TRow> rows)
    {
        _task.Model.eval();
        if (_average is not null)
        {
            _current.Take(_task.Model);
            _average.CopyToParameters();
        }

        IReadOnlyDictionary<string, double> metrics = _task.Validate(rows.Read(_checkAlive), _checkAlive);
        ValidationMetric watched = _options.WatchedMetric;
        return watched.IsCustom ? new Dictionary<string, double>(metrics) { [watched.Name] = watched.Evaluate(_scoreValidationSet()) } : metrics;
    }

    /// <summary>A checkpoint that cannot be written costs its step at most: the earlier ones are there, and training goes on.</summary>
    private void WriteCheckpoint()
    {
        if (_checkpoint is null) return;
        TimeSpan before = _state.Elapsed;
        try
        {
            _state.Elapsed += _clock.Elapsed;
            _checkpoint.Write(_folder!, _state);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Warned?.Invoke($"The checkpoint after step {_state.Step} could not be written; earlier ones are kept, and training goes on. {error.Message}");
        }
        finally
        {
            _state.Elapsed = before;
        }
    }

    /// <summary>The last step has no loss after it that would show what it did.</summary>
    private void CheckWeights()
    {
        using var noGradients = no_grad();
        double squares = _task.Model.parameters().Where(parameter => parameter.requires_grad).Sum(parameter => GradientNorm.SumOfSquares(parameter));
        if (!double.IsFinite(squares)) throw Diverged($"the norm of the weights after it is {Math.Sqrt(squares)}", _state.Step, squares);
    }

    private void Report(double loss, ValidationResult? validation)
    {
        TimeSpan elapsed = _state.Elapsed + _clock.Elapsed;
        var report = new TrainingProgress(_state.Epoch, _plan.Epochs, _state.Step, _plan.Steps, loss, _state.LearningRate, _state.GradientNorm,
            _state.Tokens / Math.Max(elapsed.TotalSeconds, 1e-9), elapsed, elapsed * ((double)(_plan.Steps - _state.Step) / _state.Step), validation);
        _options.History?.Add(report);
        Progressed?.Invoke(report);
    }

    private NotFiniteNumberException Diverged(string found, long step, double value) => new(
        $"Training diverged at step {step} of {_plan.Steps}: {found}; expected finite numbers. "
        + $"Lower {nameof(_options.LearningRate)} (now {_plan.Rates.Peak}, {_plan.Rates.At(step - 1)} at this step), raise {nameof(_options.WarmupRatio)} (now {_options.WarmupRatio}) "
        + $"or lower {nameof(_options.MaxGradientNorm)} (now {_options.MaxGradientNorm}); if it happens at the first step, the model's weights are damaged.", value);
}
