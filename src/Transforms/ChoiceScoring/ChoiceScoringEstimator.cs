using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Loads a causal language model that classifies texts by the likelihood of choices; there is nothing to learn. Made by <c>mlContext.Transforms.Text.ScoreChoices</c>.</summary>
public sealed class ChoiceScoringEstimator : IEstimator<ChoiceScoringTransformer>
{
    private readonly IHostEnvironment _env;
    private readonly ChoiceScoringSettings _settings;

    internal ChoiceScoringEstimator(IHostEnvironment env, ChoiceScoringSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        (_env, _settings) = (env, settings);
        ArgumentException.ThrowIfNullOrEmpty(settings.Options.Model, nameof(ChoiceScoringOptions.Model));
        DecoderConfig config = DecoderConfig.Load(settings.Options.Model);
        if (settings.Options.MaxPromptLength >= config.MaxPositions)
            throw OutOfRange.Error($"MaxPromptLength is {settings.Options.MaxPromptLength}, the context of the model in {settings.Options.Model} has {config.MaxPositions} tokens (max_position_embeddings), of which choices take at least one.", "options");
    }

    /// <summary>Loads the model; reads no row. Every call loads a model of its own, which its transformer owns.</summary>
    /// <param name="input">Data with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    /// <exception cref="ArgumentException">Choices are too long for the model, or the same for its tokenizer.</exception>
    /// <exception cref="InvalidOperationException">A conversation was asked for, and the tokenizer has no chat template.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is broken, or the weights have no language modeling head.</exception>
    public ChoiceScoringTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ChoiceScoringSchema.Promise(MLNetInterop.ShapeOf(input.Schema), _settings);
        string folder = _settings.Options.Model;
        ChoiceScorer scorer = FineTunedFolder.Load(_env, folder, _settings.Options.Device, "language modeling head",
            (dtype, device) => CausalLanguageModel.Load(folder, dtype: dtype, device: device),
            (model, tokenizer) => new ChoiceScorer(model, tokenizer, _settings, folder));
        return new ChoiceScoringTransformer(_env, scorer, _settings);
    }

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A shape with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return ChoiceScoringSchema.Promise(inputSchema, _settings);
    }
}
