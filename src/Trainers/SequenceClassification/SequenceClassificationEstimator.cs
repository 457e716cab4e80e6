using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
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
/// <item><term><see cref="SequenceClassificationOptions.TextPairColumnName"/></term><description>text, the second of a pair; read only where a column is named</description></item>
/// <item><term>Label</term><description>key (multi-class), Boolean (binary), or a vector of Booleans or of keys (multi-label); no row may lack it</description></item>
/// </list>
/// <list type="table">
/// <listheader><term>Trainer characteristic</term><description></description></listheader>
/// <item><term>Task</term><description>multi-class, binary or multi-label classification</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No; rows are streamed once per epoch, and up to <see cref="FineTuningOptions.ShufflePoolSize"/> of them are held</description></item>
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
    private readonly StartingModel _start;
    private readonly FineTuner _tuner;
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
        (_start, _tuner) = (new StartingModel(_options), new FineTuner(_host, _options));
        ScoringSettings().Check();
    }

    /// <summary>Promises the input's columns and the predicted label, score and probability.</summary>
    /// <param name="inputSchema">A schema with the text and label columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (!_binary && LabelColumn.IsMultiLabel(inputSchema, _labelColumnName)) return ClassificationSchema.Promise(inputSchema, ScoringSettings(), new MultipleLabels(["", ""]));
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
        bool isMultiLabel = !_binary && input.Schema.GetColumnOrNull(_labelColumnName)?.Type is VectorDataViewType;
        CheckMetric(isMultiLabel ? SequenceClassificationOptions.MultiLabelMetrics : SequenceClassificationOptions.SingleLabelMetrics, isMultiLabel ? "several labels" : "one label each");
        if (isMultiLabel) return FitMultiLabel(input);
        (LabeledTexts training, LabeledTexts? validation) = Rows(input);
        _start.CheckFolder();
        Device device = ScoringDevice.Choose(_host, _options.Device);
        LabelCensus census = LabelCensus.Take(training, _tuner.CheckAlive);
        census.CheckTrainable(training);
        CheckValidation(training, validation);
        float[]? classWeights = census.Weights(_options, training.Labels);

        TextClassifier scorer = LoadScorer(training.Labels, device);
        PairWarning.Tell(_host, scorer, _textColumnName, _options.TextPairColumnName, _start.Name);
        EncodedRows<ClassifiedText> Encoded(LabeledTexts texts) => new(SequenceClassificationTask.Encode(texts, scorer), _options.ShufflePoolSize);
        var data = new TrainingData<ClassifiedText>(Encoded(training), census.Rows, validation is null ? null : Encoded(validation), scorer.MaxLength);
        return _tuner.Fit(
            new SequenceClassificationTask(scorer.Model, scorer.PadId, classWeights, _options), data, $"{census.Rows} rows of {census.PerLabel.Count(rows => rows > 0)} labels",
            environment =>
            {
                SequenceClassificationSettings settings = ScoringSettings();
                settings.MaxLength = scorer.MaxLength;
                return new SequenceClassificationTransformer(environment, scorer, training.Labels, settings);
            });
    }

    private SequenceClassificationTransformer FitMultiLabel(IDataView input)
    {
        if (_options.BalanceClasses || _options.LabelSmoothing > 0 || _options.FocalGamma > 0)
        {
            throw new ArgumentException(
                $"{nameof(_options.BalanceClasses)}, {nameof(_options.LabelSmoothing)} and {nameof(_options.FocalGamma)} are for texts with one label each; column '{_labelColumnName}' has vectors. Use {nameof(_options.ClassWeights)}.");
        }

        return new TargetedTextTraining(_host, _textColumnName, _options.TextPairColumnName, _labelColumnName, isRegression: false, _options).Fit(input, _options.ClassWeights, (environment, scorer, labels) =>
        {
            SequenceClassificationSettings settings = ScoringSettings();
            settings.MaxLength = scorer.MaxLength;
            return new SequenceClassificationTransformer(environment, scorer, labels!, settings);
        });
    }

    private void CheckMetric(IReadOnlyList<ValidationMetric> measured, string rows)
    {
        if (!_options.WatchedMetric.IsCustom && !measured.Contains(_options.WatchedMetric))
            throw new ArgumentException($"{nameof(_options.ValidationMetric)} is {_options.WatchedMetric}, and column '{_labelColumnName}' has {rows}; expected {string.Join(" or ", measured)}.");
    }

    private TextClassifier LoadScorer(ClassLabels labels, Device device) => _start.LoadScorer(
        config => config with { LabelNames = [.. labels.Names], ProblemType = ProblemType.SingleLabelClassification }, SequenceClassificationModel.Create, device,
        (model, tokenizer) => new TextClassifier(model, tokenizer, _start.MaxLengthOf(model.Config), _options.TruncationSide, _start.Name));

    private (LabeledTexts Training, LabeledTexts? Validation) Rows(IDataView input) =>
        TrainingRows.Find(input, _options, data => new LabeledTexts(data, _textColumnName, _options.TextPairColumnName, _labelColumnName, _binary));

    private void CheckValidation(LabeledTexts training, LabeledTexts? validation)
    {
        if (validation is null) return;
        if (!validation.Labels.Names.SequenceEqual(training.Labels.Names))
            throw new ArgumentException(
                $"The validation set's labels in column '{_labelColumnName}' are {Describe(validation.Labels)}, those of the training data {Describe(training.Labels)}: make both with the same fitted key mapping.");
        if (LabelCensus.Take(validation, _tuner.CheckAlive).Rows == 0)
            throw new InvalidOperationException(_options.ValidationSet is null
                ? $"{nameof(_options.ValidationFraction)} {_options.ValidationFraction} leaves no row to validate on: raise it or use {nameof(_options.ValidationSet)}."
                : "The validation set has no rows.");
    }

    private SequenceClassificationSettings ScoringSettings() => new()
    {
        TextColumnName = _textColumnName,
        TextPairColumnName = _options.TextPairColumnName,
        PredictedLabelColumnName = _options.PredictedLabelColumnName,
        ScoreColumnName = _options.ScoreColumnName,
        ProbabilityColumnName = _options.ProbabilityColumnName,
        MaxLength = _options.MaxLength,
        TruncationSide = _options.TruncationSide,
        MaxTokensPerBatch = _options.MaxTokensPerBatch,
        Device = _options.Device,
    };

    private static string Describe(ClassLabels labels) => string.Join(", ", labels.Names.Select(name => $"'{name}'"));
}
