using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Loads a causal language model that generates a text for each row; there is nothing to learn. Made by <c>mlContext.Transforms.Text.GenerateText</c>.</summary>
public sealed class TextGenerationEstimator : IEstimator<TextGenerationTransformer>
{
    private readonly IHostEnvironment _env;
    private readonly TextGenerationSettings _settings;

    internal TextGenerationEstimator(IHostEnvironment env, TextGenerationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        (_env, _settings) = (env, settings);
        ArgumentException.ThrowIfNullOrEmpty(settings.Options.Model, nameof(TextGenerationOptions.Model));
        DecoderConfig config = DecoderConfig.Load(settings.Options.Model);
        int length = (settings.Options.MaxPromptLength ?? 1) + (settings.Options.Generation.MaxNewTokens ?? 1);
        if (length > config.MaxPositions)
            throw OutOfRange.Error($"MaxPromptLength and MaxNewTokens are at least {length} together, the context of the model in {settings.Options.Model} has {config.MaxPositions} tokens (max_position_embeddings).", "options");
    }

    /// <summary>Loads the model; reads no row. Every call loads a model of its own, which its transformer owns.</summary>
    /// <param name="input">Data with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    /// <exception cref="ArgumentException">What was asked for cannot be done with this model.</exception>
    /// <exception cref="InvalidOperationException">A conversation was asked for, and the tokenizer has no chat template.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is broken, the weights have no language modeling head, or an expression or schema is none.</exception>
    /// <exception cref="NotSupportedException">An expression or schema uses what is not supported.</exception>
    public TextGenerationTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        TextGenerationSchema.Promise(MLNetInterop.ShapeOf(input.Schema), _settings);
        string folder = _settings.Options.Model;
        TextGenerator generator = FineTunedFolder.Load(_env, folder, _settings.Options.Device, "language modeling head",
            (dtype, device) => CausalLanguageModel.Load(folder, dtype: dtype, device: device),
            (model, tokenizer) => new TextGenerator(model, tokenizer, _settings.Options, folder));
        return new TextGenerationTransformer(_env, generator, _settings);
    }

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A shape with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TextGenerationSchema.Promise(inputSchema, _settings);
    }
}
