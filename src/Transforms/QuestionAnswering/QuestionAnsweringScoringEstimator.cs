using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Loads a model that answers questions and is already fine-tuned; there is nothing to learn. Made by <c>mlContext.Transforms.Text.QuestionAnswering</c>.</summary>
public sealed class QuestionAnsweringScoringEstimator : IEstimator<QuestionAnsweringTransformer>
{
    private readonly IHostEnvironment _env;
    private readonly string _folder;
    private readonly QuestionAnsweringSettings _settings;

    internal QuestionAnsweringScoringEstimator(IHostEnvironment env, string modelFolder, QuestionAnsweringSettings? settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        (_env, _folder, _settings) = (env, modelFolder, settings?.Copy() ?? new QuestionAnsweringSettings());
        _settings.Check();
        DecoderConfig config = DecoderConfig.Load(modelFolder);
        if (_settings.MaxLength > config.MaxPositions)
            throw OutOfRange.Error($"MaxLength is {_settings.MaxLength}, the context of the model in {modelFolder} has {config.MaxPositions} tokens (max_position_embeddings).", nameof(settings));
    }

    /// <summary>Loads the model; reads no row. Every call loads a model of its own, which its transformer owns.</summary>
    /// <param name="input">Data with the context and the question.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is broken, or the weights have no question answering head.</exception>
    public QuestionAnsweringTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ClassificationSchema.TextColumn(input.Schema, _settings.ContextColumnName);
        ClassificationSchema.TextColumn(input.Schema, _settings.QuestionColumnName);
        QuestionAnsweringScorer scorer = FineTunedFolder.Load(_env, _folder, _settings.Device, "question answering head",
            (dtype, device) => QuestionAnsweringModel.Load(_folder, dtype: dtype, device: device),
            (model, tokenizer) => new QuestionAnsweringScorer(model, tokenizer, _settings, _folder));
        return new QuestionAnsweringTransformer(_env, scorer, _settings);
    }

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A shape with the context and the question.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return QuestionAnsweringSchema.Promise(inputSchema, _settings);
    }
}
