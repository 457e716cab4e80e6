using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Loads a classifier that is already fine-tuned; there is nothing to learn. Made by <c>mlContext.Transforms.Text.SequenceClassification</c>.</summary>
public sealed class SequenceClassificationScoringEstimator : IEstimator<SequenceClassificationTransformer>
{
    private readonly IHostEnvironment _env;
    private readonly string _folder;
    private readonly SequenceClassificationSettings _settings;
    private readonly ClassLabels _labels;

    internal SequenceClassificationScoringEstimator(IHostEnvironment env, string modelFolder, SequenceClassificationSettings? settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        (_env, _folder, _settings) = (env, modelFolder, settings?.Copy() ?? new SequenceClassificationSettings());
        _settings.Check();
        DecoderConfig config = DecoderConfig.Load(modelFolder);
        if (config.ProblemType is { } type and not ProblemType.SingleLabelClassification || config.LabelCount == 1)
            throw new NotSupportedException($"The model in {modelFolder} has {config.LabelCount} outputs and problem_type {config.ProblemType?.ToString() ?? "none"}; only classifiers that choose one of at least two labels are supported.");
        if (_settings.MaxLength > config.MaxPositions)
            throw OutOfRange.Error($"MaxLength is {_settings.MaxLength}, the context of the model in {modelFolder} has {config.MaxPositions} tokens (max_position_embeddings).", nameof(settings));
        _labels = ClassLabels.Text(config.LabelNames);
    }

    /// <summary>Loads the model; reads no row. Every call loads a model of its own, which its transformer owns.</summary>
    /// <param name="input">Data with the text column, and that of the second texts where one is named.</param>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is broken, or the weights have no classification head.</exception>
    public SequenceClassificationTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        TextColumns.Find(input.Schema, _settings.TextColumnName, _settings.TextPairColumnName);
        TextClassifier scorer = FineTunedFolder.Load(_env, _folder, _settings.Device, "classification head",
            (dtype, device) => SequenceClassificationModel.Load(_folder, dtype: dtype, device: device),
            (model, tokenizer) => new TextClassifier(model, tokenizer, _settings.MaxLength, _settings.TruncationSide, _folder));
        return new SequenceClassificationTransformer(_env, scorer, _labels, _settings);
    }

    /// <summary>The input's columns and the three added ones.</summary>
    /// <param name="inputSchema">A shape with the text column, and that of the second texts where one is named.</param>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return ClassificationSchema.Promise(inputSchema, _settings, _labels);
    }
}
