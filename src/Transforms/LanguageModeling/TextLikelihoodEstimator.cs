using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Measures texts with a causal language model; there is nothing to learn. Made by <c>mlContext.Transforms.Text.TextLikelihood</c>.</summary>
public sealed class TextLikelihoodEstimator : IEstimator<CausalLanguageModelTransformer>
{
    private readonly IHostEnvironment _env;
    private readonly string _folder;
    private readonly TextLikelihoodSettings _settings;

    internal TextLikelihoodEstimator(IHostEnvironment env, string modelFolder, TextLikelihoodSettings? settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        (_env, _folder, _settings) = (env, modelFolder, settings?.Copy() ?? new TextLikelihoodSettings());
        _settings.Check();
        DecoderConfig config = DecoderConfig.Load(modelFolder);
        if (_settings.MaxLength > config.MaxPositions)
            throw OutOfRange.Error($"MaxLength is {_settings.MaxLength}, the context of the model in {modelFolder} has {config.MaxPositions} tokens (max_position_embeddings).", nameof(settings));
    }

    /// <summary>Loads the model; reads no row. Every call loads a model of its own, which its transformer owns.</summary>
    /// <param name="input">Data with the text and, where one is named, the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is broken, or the weights have no projection to the vocabulary.</exception>
    public CausalLanguageModelTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        LanguageTexts.Columns(input.Schema, _settings.TextColumnName, _settings.PromptColumnName);
        LanguageModelScorer scorer = FineTunedFolder.Load(_env, _folder, _settings.Device, "language model head",
            (dtype, device) => CausalLanguageModel.Load(_folder, dtype: dtype, device: device),
            (model, tokenizer) => new LanguageModelScorer(model, tokenizer, _settings, source: _folder));
        return new CausalLanguageModelTransformer(_env, scorer, _settings);
    }

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A shape with the text and, where one is named, the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TextLikelihoodSchema.Promise(inputSchema, _settings);
    }
}
