using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Loads a token classifier that is already fine-tuned; there is nothing to learn. Made by <c>mlContext.Transforms.Text.TokenClassification</c>.</summary>
public sealed class TokenClassificationScoringEstimator : IEstimator<TokenClassificationTransformer>
{
    private readonly IHostEnvironment _env;
    private readonly string _folder;
    private readonly TokenClassificationSettings _settings;
    private readonly ClassLabels _labels;

    internal TokenClassificationScoringEstimator(IHostEnvironment env, string modelFolder, TokenClassificationSettings? settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        (_env, _folder, _settings) = (env, modelFolder, settings?.Copy() ?? new TokenClassificationSettings());
        _settings.Check();
        DecoderConfig config = DecoderConfig.Load(modelFolder);
        if (_settings.MaxLength > config.MaxPositions)
            throw OutOfRange.Error($"MaxLength is {_settings.MaxLength}, the context of the model in {modelFolder} has {config.MaxPositions} tokens (max_position_embeddings).", nameof(settings));
        _labels = ClassLabels.Text(config.LabelNames);
    }

    /// <summary>Loads the model; reads no row. Every call loads a model of its own, which its transformer owns.</summary>
    /// <param name="input">Data with the text column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The text column is missing or neither a text nor a vector of texts.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is broken, or the weights have no token classification head.</exception>
    public TokenClassificationTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        TokenClassificationSchema.TextColumn(input.Schema, _settings.TextColumnName);
        TokenClassifier scorer = FineTunedFolder.Load(_env, _folder, _settings.Device, "token classification head",
            (dtype, device) => TokenClassificationModel.Load(_folder, dtype: dtype, device: device),
            (model, tokenizer) => new TokenClassifier(model, tokenizer, _settings, _folder));
        return new TokenClassificationTransformer(_env, scorer, _labels, _settings);
    }

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A shape with the text column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The text column is missing or neither a text nor a vector of texts.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TokenClassificationSchema.Promise(inputSchema, _settings, _labels);
    }
}
