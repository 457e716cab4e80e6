using Microsoft.ML;
using Microsoft.ML.SearchSpace;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>How a decoder language model is fine-tuned, whatever its head; each trainer adds what is its own.</summary>
public abstract class FineTuningOptions
{
    private protected FineTuningOptions()
    {
    }

    /// <summary>
    /// The folder of the model to fine-tune, in Hugging Face layout: a base or causal model, or one with the same head, with its
    /// tokenizer. <see langword="null"/> (the default): the tiny decoder that comes with this library, made for trying things out on a CPU.
    /// </summary>
    public string? Model { get; set; }

    /// <summary>The number format of weights, activations and gradients. Default <see cref="Precision.BFloat16"/>.</summary>
    public Precision Precision { get; set; } = Precision.BFloat16;

    /// <summary>How bfloat16 weights are updated. Default <see cref="WeightUpdate.MasterWeights"/>.</summary>
    public WeightUpdate WeightUpdate { get; set; } = WeightUpdate.MasterWeights;

    /// <summary>Which weights of the model are trained. With an <see cref="Adapter"/> all are frozen, and this stays at its default, <see cref="TrainedWeights.All"/>.</summary>
    public TrainedWeights Trained { get; set; } = TrainedWeights.All;

    /// <summary>
    /// A low-rank adapter to train instead of the model's own weights: LoRA, rank-stabilised LoRA, DoRA. The head of a classifier or question answerer is
    /// trained with it, whole. <see langword="null"/> (the default): none.
    /// </summary>
    public LoraOptions? Adapter { get; set; }

    /// <summary>
    /// What <c>mlContext.Model.Save</c> writes of a model with an <see cref="Adapter"/>: all of it, or the adapter with the fingerprint of its base model. Default
    /// <see cref="ModelStorage.Embedded"/>.
    /// </summary>
    public ModelStorage ModelStorage { get; set; } = ModelStorage.Embedded;

    /// <summary>
    /// Whether training keeps only the input of each layer and computes the layer once more for its gradients: far less memory, about a third more
    /// computation, the same gradients. Default <see langword="false"/>.
    /// </summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>Threads that the backend computes with, at least 1. <see langword="null"/> (the default): as many as it has now. Set back after the run.</summary>
    public int? Threads { get; set; }

    /// <summary>Where the model is trained: "cpu", "cuda" or "cuda:N". <see langword="null"/> (the default): the GPU that <c>MLContext.GpuDeviceId</c> names, else the CPU.</summary>
    public string? Device { get; set; }

    /// <summary>How often every row is seen, at least 1. Default 3.</summary>
    [Range(1, 10)]
    public int Epochs { get; set; } = 3;

    /// <summary>Rows per update of the weights, at least 1. Default 16.</summary>
    [Range(8, 64, logBase: true)]
    public int BatchSize { get; set; } = 16;

    /// <summary>
    /// Most tokens per update of the weights, in place of <see cref="BatchSize"/>, at least 1: a step takes rows of like length as long as they have no more tokens
    /// together, padding not counted. A longer row is a step of its own. The rows are read once more, to count the steps. <see langword="null"/> (the default): so many rows.
    /// </summary>
    public int? TokensPerUpdate { get; set; }

    /// <summary>
    /// Most tokens that the model reads at once, padding included, at least 1. Batches with more are split, and their gradients
    /// added: this bounds memory and changes no result but for rounding. A longer text is read alone. Default 4096.
    /// </summary>
    public int MaxTokensPerBatch { get; set; } = 4096;

    /// <summary>
    /// Whether the texts of a batch lie behind each other, apart from each other, so that next to nothing is computed for padding: on a CPU; on other devices, where many
    /// operators at once are what is fast, they are padded. Changes no result but for rounding and what dropout and noise draw. Default <see langword="true"/>.
    /// </summary>
    public bool Packing { get; set; } = true;

    /// <summary>
    /// Most memory, in bytes, for what layers below the lowest one that is trained make of the rows. They are then run once per row, without dropout, and training goes on
    /// from there. What finds no room is computed anew each time. 0 without a <see cref="PrefixCacheFolder"/>: nothing is kept, and these layers are run like the others.
    /// Default 1 GiB.
    /// </summary>
    public long PrefixCacheBytes { get; set; } = 1L << 30;

    /// <summary>
    /// A folder for a temporary file with what <see cref="PrefixCacheBytes"/> leaves no room for: 2 bytes per token and hidden unit in bfloat16, 4 in float32. It is gone
    /// when the run ends. <see langword="null"/> (the default): none.
    /// </summary>
    public string? PrefixCacheFolder { get; set; }

    /// <summary>Most tokens of a text, at least 1; longer texts are cut, counted and reported in the log. <see langword="null"/> (the default): the model's context length, at most 512.</summary>
    public int? MaxLength { get; set; }

    /// <summary>Which part of a too long text is cut. Default <see cref="MLComponents.Transforms.TruncationSide.End"/>.</summary>
    public TruncationSide TruncationSide { get; set; } = TruncationSide.End;

    /// <summary>The learning rate after the warm-up, above 0. <see langword="null"/> (the default): 5e-5 for a model from a folder, 1e-3 for the tiny decoder of this library.</summary>
    [Range(1e-5, 1e-3, init: 5e-5, logBase: true)]
    public double? LearningRate { get; set; }

    /// <summary>How the learning rate goes on after the warm-up. Default <see cref="LearningRateSchedule.Linear"/>.</summary>
    [Choice(
        LearningRateSchedule.Linear, LearningRateSchedule.Cosine, LearningRateSchedule.Constant, LearningRateSchedule.CosineWithRestarts,
        LearningRateSchedule.Polynomial, LearningRateSchedule.InverseSquareRoot)]
    public LearningRateSchedule Schedule { get; set; } = LearningRateSchedule.Linear;

    /// <summary>The share of all steps in which the learning rate rises from zero, 0 to 1. Default 0.1.</summary>
    [Range(0d, 0.3d, init: 0.1d)]
    public double WarmupRatio { get; set; } = 0.1;

    /// <summary>The steps in which the learning rate rises from zero, at least 0. <see langword="null"/> (the default): by <see cref="WarmupRatio"/>.</summary>
    public int? WarmupSteps { get; set; }

    /// <summary>How often <see cref="LearningRateSchedule.CosineWithRestarts"/> begins, at least 1. Default 1.</summary>
    public int ScheduleCycles { get; set; } = 1;

    /// <summary>The exponent of <see cref="LearningRateSchedule.Polynomial"/>, above 0. Default 1.</summary>
    public double PolynomialPower { get; set; } = 1;

    /// <summary>What <see cref="LearningRateSchedule.Polynomial"/> ends with, 0 to below the learning rate. Default 1e-7.</summary>
    public double FinalLearningRate { get; set; } = 1e-7;

    /// <summary>
    /// How much slower each layer learns than the one above it, above 0 to 1: the learning rate of a layer that has n others above it is multiplied by this
    /// n + 1 times, that of the head not at all. Default 1: all layers learn alike.
    /// </summary>
    [Range(0.6d, 1d, init: 1d)]
    public double LayerwiseDecay { get; set; } = 1;

    /// <summary>What turns gradients into changes of weights. Default <see cref="OptimizerKind.AdamW"/>.</summary>
    [Choice(OptimizerKind.AdamW, OptimizerKind.AdamW8Bit, OptimizerKind.Adafactor, OptimizerKind.Lion)]
    public OptimizerKind Optimizer { get; set; } = OptimizerKind.AdamW;

    /// <summary>The decay of the mean of the gradients in <see cref="OptimizerKind.AdamW"/> and <see cref="OptimizerKind.Lion"/>, 0 to below 1. Default 0.9.</summary>
    public double Beta1 { get; set; } = 0.9;

    /// <summary>The decay of the mean of their squares (of the mean itself, in Lion), 0 to below 1. <see langword="null"/> (the default): 0.999, of Lion 0.99.</summary>
    public double? Beta2 { get; set; }

    /// <summary>What AdamW adds to its denominator, above 0. Default 1e-8.</summary>
    public double Epsilon { get; set; } = 1e-8;

    /// <summary>How much of its last step <see cref="OptimizerKind.StochasticGradientDescent"/> repeats, 0 to below 1. Default 0.</summary>
    public double Momentum { get; set; }

    /// <summary>Weight decay, at least 0; biases and norms have none. Default 0.01.</summary>
    [Range(0d, 0.1d, init: 0.01d)]
    public double WeightDecay { get; set; } = 0.01;

    /// <summary>Gradients of a larger Euclidean norm are scaled down to it; above 0, <see cref="double.PositiveInfinity"/> for no limit. Default 1.</summary>
    public double MaxGradientNorm { get; set; } = 1;

    /// <summary>
    /// The decay of a moving average of the trained weights, 0 to below 1, such as 0.999: validation and the result use the average (Polyak and Juditsky 1992).
    /// 4 bytes per trained weight. <see langword="null"/> (the default): the weights themselves.
    /// </summary>
    public double? AverageDecay { get; set; }

    /// <summary>
    /// How large the noise on embeddings is while training, at least 0: uniform numbers within α / √(tokens · hidden size) are added (NEFTune, Jain et al. 2023; there 5 to 15).
    /// Default 0: none.
    /// </summary>
    public double NoiseAlpha { get; set; }

    /// <summary>The seed of the new head, of shuffling, dropout and stochastic rounding: the same seed, machine and number of threads give the same bits. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>
    /// Rows that are held encoded in memory to be shuffled among each other, at least 1. Data with more rows is shuffled within
    /// a moving pool of this size. Default 16384.
    /// </summary>
    public int ShufflePoolSize { get; set; } = 16384;

    /// <summary>Rows to validate on, with the columns of the training rows. <see langword="null"/> (the default): none, or a part of the training rows.</summary>
    public IDataView? ValidationSet { get; set; }

    /// <summary>The share of the training rows that is set aside to validate on, 0 to below 1. Not together with <see cref="ValidationSet"/>. Default 0.</summary>
    public double ValidationFraction { get; set; }

    /// <summary>
    /// What is watched on the validation rows: the weights that are best by it are kept. <see langword="null"/> (the default): the trainer's first,
    /// which is its loss.
    /// </summary>
    public ValidationMetric? ValidationMetric { get; set; }

    /// <summary>Steps from one validation to the next, at least 1. <see langword="null"/> (the default): after every epoch. After the last step is always validated.</summary>
    public int? ValidationSteps { get; set; }

    /// <summary>Validations without improvement after which training stops, at least 1; needs validation rows. <see langword="null"/> (the default): all epochs are run.</summary>
    public int? EarlyStoppingPatience { get; set; }

    /// <summary>
    /// A folder for checkpoints of this run. Where it has one, training goes on from it, to the same bits; where that is of another run (options, rows or frozen weights
    /// differ), it is refused. When training has come to its end they are removed. <see langword="null"/> (the default): none.
    /// </summary>
    public string? CheckpointFolder { get; set; }

    /// <summary>Steps from one checkpoint to the next, at least 1. <see langword="null"/> (the default): after every epoch.</summary>
    public int? CheckpointSteps { get; set; }

    /// <summary>How many checkpoints are kept, at least 1. Default 2.</summary>
    public int CheckpointsKept { get; set; } = 2;

    /// <summary>What becomes of a step whose loss or gradients are not finite numbers. Default <see cref="NonFiniteHandling.Stop"/>.</summary>
    public NonFiniteHandling NonFiniteHandling { get; set; } = NonFiniteHandling.Stop;

    /// <summary>Collects what the run reports. <see langword="null"/> (the default): nothing does.</summary>
    public TrainingHistory? History { get; set; }

    /// <summary>Told of every step and every validation, on the training thread.</summary>
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Stops training within a batch; see <see cref="TrainingCanceledException"/>.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <summary>What the trainer measures on validation rows; the first is watched where nothing else is asked for.</summary>
    internal abstract IReadOnlyList<ValidationMetric> Metrics { get; }

    /// <summary>The metric that is watched.</summary>
    internal ValidationMetric WatchedMetric => ValidationMetric ?? Metrics[0];

    /// <summary>The learning rate after the warm-up.</summary>
    internal double PeakLearningRate => LearningRate ?? (Model is null ? 1e-3 : 5e-5);

    /// <summary>A copy that later changes do not reach.</summary>
    internal virtual FineTuningOptions Copy()
    {
        var copy = (FineTuningOptions)MemberwiseClone();
        copy.Adapter = Adapter?.Clone();
        return copy;
    }

    /// <summary>Throws what is wrong with the values, naming the option.</summary>
    /// <exception cref="ArgumentException">A value is out of its range, or two exclude each other.</exception>
    internal virtual void Check()
    {
        Require(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");
        Require(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Require(TokensPerUpdate is null or >= 1, nameof(TokensPerUpdate), TokensPerUpdate, "at least 1, or null");
        Require(MaxTokensPerBatch >= 1, nameof(MaxTokensPerBatch), MaxTokensPerBatch, "at least 1");
        Require(PrefixCacheBytes >= 0, nameof(PrefixCacheBytes), PrefixCacheBytes, "at least 0");
        Require(PrefixCacheFolder is null or { Length: > 0 }, nameof(PrefixCacheFolder), $"'{PrefixCacheFolder}'", "a path, or null");
        Require(MaxLength is null or >= 1, nameof(MaxLength), MaxLength, "at least 1, or null");
        Require(Enum.IsDefined(TruncationSide), nameof(TruncationSide), TruncationSide, "End, Start or Middle");
        Require(LearningRate is null or (> 0 and < double.PositiveInfinity), nameof(LearningRate), LearningRate, "a number above 0, or null");
        Require(WarmupRatio is >= 0 and <= 1, nameof(WarmupRatio), WarmupRatio, "0 to 1");
        Require(WarmupSteps is null or >= 0, nameof(WarmupSteps), WarmupSteps, "at least 0, or null");
        Require(ScheduleCycles >= 1, nameof(ScheduleCycles), ScheduleCycles, "at least 1");
        Require(PolynomialPower is > 0 and < double.PositiveInfinity, nameof(PolynomialPower), PolynomialPower, "above 0");
        Require(FinalLearningRate >= 0, nameof(FinalLearningRate), FinalLearningRate, "at least 0");
        Require(Schedule != LearningRateSchedule.Polynomial || FinalLearningRate < PeakLearningRate, nameof(FinalLearningRate), FinalLearningRate, $"less than the learning rate, {PeakLearningRate}");
        Require(LayerwiseDecay is > 0 and <= 1, nameof(LayerwiseDecay), LayerwiseDecay, "above 0 to 1");
        Require(Enum.IsDefined(Optimizer), nameof(Optimizer), Optimizer, "AdamW, AdamW8Bit, Adafactor, StochasticGradientDescent or Lion");
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "0 to below 1");
        Require(Beta2 is null or (>= 0 and < 1), nameof(Beta2), Beta2, "0 to below 1, or null");
        Require(Epsilon is > 0 and < double.PositiveInfinity, nameof(Epsilon), Epsilon, "above 0");
        Require(Momentum is >= 0 and < 1, nameof(Momentum), Momentum, "0 to below 1");
        Require(AverageDecay is null or (>= 0 and < 1), nameof(AverageDecay), AverageDecay, "0 to below 1, or null");
        Require(NoiseAlpha is >= 0 and < double.PositiveInfinity, nameof(NoiseAlpha), NoiseAlpha, "at least 0");
        Require(Threads is null or >= 1, nameof(Threads), Threads, "at least 1, or null");
        Require(WeightDecay is >= 0 and < double.PositiveInfinity, nameof(WeightDecay), WeightDecay, "at least 0");
        Require(MaxGradientNorm > 0, nameof(MaxGradientNorm), MaxGradientNorm, "above 0");
        Require(ShufflePoolSize >= 1, nameof(ShufflePoolSize), ShufflePoolSize, "at least 1");
        Require(ValidationFraction is >= 0 and < 1, nameof(ValidationFraction), ValidationFraction, "0 to below 1");
        Require(EarlyStoppingPatience is null or >= 1, nameof(EarlyStoppingPatience), EarlyStoppingPatience, "at least 1, or null");
        Require(ValidationSteps is null or >= 1, nameof(ValidationSteps), ValidationSteps, "at least 1, or null");
        Require(CheckpointSteps is null or >= 1, nameof(CheckpointSteps), CheckpointSteps, "at least 1, or null");
        Require(CheckpointsKept >= 1, nameof(CheckpointsKept), CheckpointsKept, "at least 1");
        Require(Enum.IsDefined(NonFiniteHandling), nameof(NonFiniteHandling), NonFiniteHandling, "Stop or Skip");
        Require(Enum.IsDefined(Precision), nameof(Precision), Precision, "Float32 or BFloat16");
        Require(Enum.IsDefined(WeightUpdate), nameof(WeightUpdate), WeightUpdate, "MasterWeights or StochasticRounding");
        Require(Enum.IsDefined(Schedule), nameof(Schedule), Schedule, string.Join(" or ", Enum.GetNames<LearningRateSchedule>()));
        Require(WatchedMetric.IsCustom || Metrics.Contains(WatchedMetric), nameof(ValidationMetric), WatchedMetric, $"{string.Join(" or ", Metrics)}, or one of your own");
        if (WatchedMetric.IsCustom && ValidationSet is null)
            throw new ArgumentException($"{nameof(ValidationMetric)} {WatchedMetric} is computed from scored rows and needs a {nameof(ValidationSet)}.");
        if (CheckpointSteps is not null && CheckpointFolder is null)
            throw new ArgumentException($"{nameof(CheckpointSteps)} {CheckpointSteps} needs a {nameof(CheckpointFolder)}.");
        Require(Enum.IsDefined(ModelStorage), nameof(ModelStorage), ModelStorage, "Embedded or AdapterOnly");
        if (ModelStorage == ModelStorage.AdapterOnly && Adapter is null)
            throw new ArgumentException($"{nameof(ModelStorage)} {ModelStorage} needs an {nameof(Adapter)}: without one the trained weights are the model's own.");
        ArgumentNullException.ThrowIfNull(Trained);
        if (Adapter is not null && Trained != TrainedWeights.All)
            throw new ArgumentException($"{nameof(Adapter)} and {nameof(Trained)} {Trained} exclude each other: an adapter freezes the model's own weights. Name modules to be trained whole in {nameof(LoraOptions.ModulesToSave)}.");
        if (ValidationSet is not null && ValidationFraction > 0)
            throw new ArgumentException($"{nameof(ValidationSet)} and {nameof(ValidationFraction)} {ValidationFraction} exclude each other: set one of them.");
        if (EarlyStoppingPatience is not null && ValidationSet is null && ValidationFraction == 0)
            throw new ArgumentException($"{nameof(EarlyStoppingPatience)} needs rows to validate on: set {nameof(ValidationSet)} or {nameof(ValidationFraction)}.");
    }

    private protected static void Require(bool condition, string name, object? value, string expected)
    {
        if (!condition) throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; expected {expected}.");
    }
}
