using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// Fine-tunes a decoder language model to classify the texts of a column. Made by
/// <c>mlContext.MulticlassClassification.Trainers.SequenceClassification</c> and
/// <c>mlContext.BinaryClassification.Trainers.SequenceClassification</c>.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Input column</term><description>Type</description></listheader>
/// <item><term>Text</term><description>text; an empty text is allowed</description></item>
/// <item><term>Label</term><description>key (multi-class) or Boolean (binary); no row may lack it</description></item>
/// </list>
/// <list type="table">
/// <listheader><term>Trainer characteristic</term><description></description></listheader>
/// <item><term>Task</term><description>multi-class or binary classification</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No; rows are streamed once per epoch, and up to <see cref="SequenceClassificationOptions.ShufflePoolSize"/> of them are held</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLComponents.Trainers</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// The model reads a text with causal attention, and a linear layer without bias turns the last hidden state of its last token into
/// one logit per label (the pooling of the reference's sequence-classification heads). All weights are trained with AdamW on the
/// cross-entropy. The output columns are described at <see cref="SequenceClassificationTransformer"/>.
/// </remarks>
public sealed class SequenceClassificationEstimator : IEstimator<SequenceClassificationTransformer>
{
    private readonly IHost _host;
    private readonly SequenceClassificationOptions _options;
    private readonly string _labelColumnName;
    private readonly string _textColumnName;
    private readonly bool _binary;

    internal SequenceClassificationEstimator(IHostEnvironment environment, string labelColumnName, string textColumnName, bool binary, SequenceClassificationOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(labelColumnName);
        ArgumentException.ThrowIfNullOrEmpty(textColumnName);
        options.Check();
        _host = environment.Register(nameof(SequenceClassificationEstimator));
        (_labelColumnName, _textColumnName, _binary, _options) = (labelColumnName, textColumnName, binary, options.Copy());
        ScoringSettings().Check();
    }

    /// <summary>Promises the input's columns and the predicted label, score and probability.</summary>
    /// <param name="inputSchema">A schema with the text and label columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SchemaShape.Column label = LabelColumn.Find(inputSchema, _labelColumnName, _binary);
        return ClassificationSchema.Promise(inputSchema, ScoringSettings(), _binary ? ClassLabels.Binary : ClassLabels.OfShape(label));
    }

    /// <summary>Trains on the rows of a data set.</summary>
    /// <param name="input">Data with the text and label columns; read once to be checked and counted, then once per epoch.</param>
    /// <returns>The transformer; whoever holds it disposes it to free the model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">There are no rows, all have one label, or a row has none.</exception>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The model's folder lacks a file.</exception>
    /// <exception cref="FormatException">A file of the model is damaged or does not fit the others.</exception>
    /// <exception cref="NotSupportedException">The model is of a family, or the tokenizer of a kind, that is not supported.</exception>
    /// <exception cref="ArgumentException">The validation set has other labels, or <see cref="SequenceClassificationOptions.ClassWeights"/> does not fit the labels.</exception>
    /// <exception cref="NotFiniteNumberException">The loss is not a finite number.</exception>
    /// <exception cref="TrainingCanceledException">The run was cancelled after its first step.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before that.</exception>
    public SequenceClassificationTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        (LabeledTexts training, LabeledTexts? validation) = Rows(input);
        ClassifierLoader.CheckFolder(_options);
        Device device = ScoringDevice.Choose(_host, _options.Device);
        LabelCensus census = LabelCensus.Take(training, CheckAlive);
        census.CheckTrainable(training);
        CheckValidation(training, validation);
        float[]? classWeights = census.Weights(_options, training.Labels);

        using IChannel channel = _host.Start("Fit");
        TextClassifier scorer = ClassifierLoader.Load(_options, training.Labels, device);
        try
        {
            CheckpointWarnings.Tell(channel, scorer.Model, _options.Model ?? "this library's decoder");
            TrainingPlan plan = TrainingPlan.For(census.Rows, LearningRate(), _options);
            channel.Info(MessageSensitivity.None, $"Training on {census.Rows} rows of {census.PerLabel.Count(rows => rows > 0)} labels: {plan.Steps} steps in {plan.Epochs} epochs on {device}, {_options.Precision}.");
            OperationCanceledException? cancelled = Train(scorer, training, validation, plan, classWeights, channel);
            SequenceClassificationSettings settings = ScoringSettings();
            settings.MaxLength = scorer.MaxLength;
            var transformer = new SequenceClassificationTransformer(LivingEnvironment(), scorer, training.Labels, settings);
            return cancelled is null
                ? transformer
                : throw new TrainingCanceledException($"Training was cancelled. {nameof(TrainingCanceledException.Model)} of this exception holds what was learnt so far.", transformer, cancelled);
        }
        catch (Exception error) when (error is not TrainingCanceledException)
        {
            scorer.Dispose();
            throw;
        }
    }

    /// <summary>Trains; gives the cancellation that ended the run after its first step, or null.</summary>
    private OperationCanceledException? Train(
        TextClassifier scorer, LabeledTexts training, LabeledTexts? validation, TrainingPlan plan, float[]? classWeights, IChannel channel)
    {
        var rows = new EncodedRows(training, scorer, _options.ShufflePoolSize);
        EncodedRows? validationRows = validation is null ? null : new EncodedRows(validation, scorer, _options.ShufflePoolSize);
        Validation? check = validationRows is null ? null
            : new Validation(validationRows, scorer, scorer.OutputCount, _options.BatchSize, _options.MaxTokensPerBatch);
        using var run = new ClassifierTraining(scorer.Model, rows, check, plan, classWeights, scorer.PadId, _options, CheckAlive);
        long stepsDone = 0;
        run.Progressed += progress =>
        {
            stepsDone = progress.Step;
            if (progress.Validation is { } result)
                channel.Info(MessageSensitivity.None, $"Epoch {progress.Epoch}/{progress.Epochs}: loss {progress.Loss:F4}; validation log-loss {result.LogLoss:F4}, micro-accuracy {result.MicroAccuracy:P2}, macro-accuracy {result.MacroAccuracy:P2}{(result.IsBest ? ", the best so far" : "")}.");
            else if (progress.Step % StepsBetweenMessages(plan) == 0)
                channel.Info(MessageSensitivity.None, $"Step {progress.Step}/{progress.Steps} (epoch {progress.Epoch}/{progress.Epochs}): loss {progress.Loss:F4}, learning rate {progress.LearningRate:G3}, {progress.TokensPerSecond:F0} tokens/s, {TimeSpan.FromSeconds(Math.Ceiling(progress.Remaining.TotalSeconds)):c} to go.");
            _options.Progress?.Report(progress);
        };
        try
        {
            run.Run();
        }
        catch (OperationCanceledException cancelled) when (stepsDone > 0)
        {
            return cancelled;
        }
        finally
        {
            ReportTruncated(channel, "training", rows, scorer);
            if (validationRows is not null) ReportTruncated(channel, "validation", validationRows, scorer);
        }

        if (run.StoppedEarly) channel.Info(MessageSensitivity.None, $"Stopped early: {_options.ValidationMetric} has not improved for {_options.EarlyStoppingPatience} epochs; the best weights are kept.");
        return null;
    }

    private void ReportTruncated(IChannel channel, string kind, EncodedRows rows, TextClassifier scorer)
    {
        if (rows.Truncated > 0)
            channel.Warning(MessageSensitivity.None, $"{rows.Truncated} {kind} texts were longer than {scorer.MaxLength} tokens and were cut ({_options.TruncationSide}). Raise {nameof(_options.MaxLength)}, or shorten the texts in the prompt.");
    }

    private (LabeledTexts Training, LabeledTexts? Validation) Rows(IDataView input)
    {
        var all = new LabeledTexts(input, _textColumnName, _labelColumnName, _binary);
        if (_options.ValidationSet is not { } set) return _options.ValidationFraction > 0 ? all.Split(_options.ValidationFraction, _options.Seed) : (all, null);
        try
        {
            return (all, new LabeledTexts(set, _textColumnName, _labelColumnName, _binary));
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw OutOfRange.Error($"{nameof(_options.ValidationSet)}: {error.Message}", nameof(_options.ValidationSet));
        }
    }

    private void CheckValidation(LabeledTexts training, LabeledTexts? validation)
    {
        if (validation is null) return;
        if (!validation.Labels.Names.SequenceEqual(training.Labels.Names))
            throw new ArgumentException(
                $"The validation set's labels in column '{_labelColumnName}' are {Describe(validation.Labels)}, those of the training data {Describe(training.Labels)}: make both with the same fitted key mapping.");
        if (LabelCensus.Take(validation, CheckAlive).Rows == 0)
            throw new InvalidOperationException(_options.ValidationSet is null
                ? $"{nameof(_options.ValidationFraction)} {_options.ValidationFraction} leaves no row to validate on: raise it or use {nameof(_options.ValidationSet)}."
                : "The validation set has no rows.");
    }

    private double LearningRate() => _options.LearningRate ?? (_options.Model is null ? 1e-3 : 5e-5);

    private SequenceClassificationSettings ScoringSettings() => new()
    {
        TextColumnName = _textColumnName,
        PredictedLabelColumnName = _options.PredictedLabelColumnName,
        ScoreColumnName = _options.ScoreColumnName,
        ProbabilityColumnName = _options.ProbabilityColumnName,
        MaxLength = _options.MaxLength,
        TruncationSide = _options.TruncationSide,
        MaxTokensPerBatch = _options.MaxTokensPerBatch,
        Device = _options.Device,
    };

    private void CheckAlive()
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        MLNetInterop.CheckAlive(_host);
    }

    /// <summary>Where the model is to score: in the trainer's environment or, where that was cancelled for good, in a fresh one.</summary>
    private IHostEnvironment LivingEnvironment()
    {
        try
        {
            MLNetInterop.CheckAlive(_host);
            return _host;
        }
        catch (OperationCanceledException)
        {
            return new MLContext();
        }
    }

    private static long StepsBetweenMessages(TrainingPlan plan) => Math.Max(1, plan.Steps / 20);

    private static string Describe(ClassLabels labels) => string.Join(", ", labels.Names.Select(name => $"'{name}'"));
}
