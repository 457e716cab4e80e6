using System.Diagnostics;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// Fine-tunes a classifier: batches, loss, gradients, clipping, AdamW, validation after every epoch with the best weights kept.
/// </summary>
internal sealed class ClassifierTraining : IDisposable
{
    /// <summary>Added to the norm, as torch.nn.utils.clip_grad_norm_ does.</summary>
    private const double ClippingEpsilon = 1e-6;

    private readonly SequenceClassificationModel _model;
    private readonly SequenceClassificationOptions _options;
    private readonly TrainingPlan _plan;
    private readonly EncodedRows _rows;
    private readonly Validation? _validation;
    private readonly Action _checkAlive;
    private readonly int? _padId;
    private readonly Device _device;
    private readonly FusedAdamW _optimizer;
    private readonly ClassificationLoss _loss;
    private readonly WeightSnapshot _best = new();
    private readonly Stopwatch _clock = new();
    private long _step, _tokens;
    private double? _bestMerit;
    private int _epochsWithoutImprovement;

    /// <summary>Prepares a run.</summary>
    /// <param name="model">The model, on its device and in its precision; not owned.</param>
    /// <param name="rows">The training rows.</param>
    /// <param name="validation">What is validated after every epoch, or null.</param>
    /// <param name="plan">Steps and learning rates.</param>
    /// <param name="classWeights">What a row of each label counts, or null.</param>
    /// <param name="padId">The token that rows are filled up with.</param>
    /// <param name="options">Everything else.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    public ClassifierTraining(
        SequenceClassificationModel model, EncodedRows rows, Validation? validation, TrainingPlan plan, float[]? classWeights, int? padId,
        SequenceClassificationOptions options, Action checkAlive)
    {
        (_model, _rows, _validation, _plan, _padId, _options, _checkAlive) = (model, rows, validation, plan, padId, options, checkAlive);
        _device = model.parameters().First().device;
        _optimizer = new FusedAdamW(WeightDecayGroups.Of(model, options.WeightDecay), options.WeightUpdate == WeightUpdate.MasterWeights, seed: options.Seed);
        _loss = new ClassificationLoss(classWeights, _device);
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
        var pool = new ShufflePool(_options.ShufflePoolSize, _options.BatchSize);
        try
        {
            for (int epoch = 1; epoch <= _plan.Epochs && !StoppedEarly; epoch++)
            {
                _model.train();
                double epochLoss = 0;
                long epochSteps = 0;
                TrainingProgress? last = null;
                foreach (TrainingRow[] batch in pool.Batches(_rows.Read(_checkAlive), new Random(HashOf(_options.Seed, epoch))))
                {
                    last = Step(batch, epoch);
                    epochLoss += last.Loss;
                    epochSteps++;
                    Progressed?.Invoke(last);
                }

                if (_validation is not null && last is not null) Validate(_validation, last, epochLoss / epochSteps);
            }

            CheckWeights();
        }
        finally
        {
            set_rng_state(generator);
            _optimizer.ZeroGradients();
            _best.Restore(_model);
            _model.eval();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _loss.Dispose();
        _best.Dispose();
    }

    private TrainingProgress Step(TrainingRow[] batch, int epoch)
    {
        double learningRate = _plan.Rates.At(_step);
        double totalWeight = _loss.TotalWeight(batch);
        double loss = 0;
        if (totalWeight > 0)
        {
            foreach (int[] part in LengthBatches.Plan(Array.ConvertAll(batch, row => row.Ids.Length), _options.BatchSize, _options.MaxTokensPerBatch))
            {
                _checkAlive();
                loss += Accumulate(Array.ConvertAll(part, index => batch[index]), totalWeight);
            }
        }

        double norm = _optimizer.GradientNorm();
        if (!double.IsFinite(loss) || !double.IsFinite(norm)) throw Diverged($"the loss is {loss} and the gradient norm {norm}", _step + 1, loss);
        _optimizer.Step(learningRate, Math.Min(1, _options.MaxGradientNorm / (norm + ClippingEpsilon)));
        _optimizer.ZeroGradients();
        _step++;
        _tokens += batch.Sum(row => (long)row.Ids.Length);
        return Report(epoch, loss, learningRate, norm, null);
    }

    /// <summary>Adds the gradients of a part of a batch; gives its share of the batch's loss.</summary>
    private double Accumulate(TrainingRow[] rows, double totalWeight)
    {
        using var scope = NewDisposeScope();
        using TokenBatch tokens = TokenBatch.Create(Array.ConvertAll(rows, row => row.Ids), _padId, _device);
        Tensor labels = tensor(Array.ConvertAll(rows, row => (long)row.Label), device: _device);
        Tensor share = _loss.Share(_model.ForwardPooled(tokens.InputIds, tokens.LastPositions), labels, totalWeight);
        share.backward();
        return share.ToDouble();
    }

    private void Validate(Validation validation, TrainingProgress last, double epochLoss)
    {
        _model.eval();
        ValidationResult result = validation.Run(_checkAlive);
        if (!double.IsFinite(result.LogLoss)) throw Diverged($"the validation loss after it is {result.LogLoss}", _step, result.LogLoss);
        int epoch = last.Epoch;
        double merit = result.Merit(_options.ValidationMetric);
        bool isBest = _bestMerit is null || merit > _bestMerit;
        if (isBest)
        {
            _bestMerit = merit;
            _epochsWithoutImprovement = 0;
            if (epoch < _plan.Epochs) _best.Take(_model);
            else _best.Dispose(); // the weights of the last epoch are in place already
        }
        else
        {
            StoppedEarly = ++_epochsWithoutImprovement >= _options.EarlyStoppingPatience && epoch < _plan.Epochs;
        }

        Progressed?.Invoke(Report(epoch, epochLoss, last.LearningRate, last.GradientNorm, result with { IsBest = isBest }));
    }

    /// <summary>The last step has no loss after it that would show what it did.</summary>
    private void CheckWeights()
    {
        using var noGradients = no_grad();
        double squares = _model.parameters().Sum(parameter => GradientNorm.SumOfSquares(parameter));
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
