using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Fine-tunes a causal language model on texts, on answers to prompts, or on conversations. Made by <c>mlContext.Transforms.Text.CausalLanguageModel</c>.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Job</term><description>Options</description></listheader>
/// <item><term>Going on with pre-training</term><description>a text column; all of its tokens are learnt, long texts in parts</description></item>
/// <item><term>Answers to prompts</term><description><see cref="CausalLanguageModelOptions.PromptColumnName"/>; only the text is learnt, which follows the prompt directly or, with
/// <see cref="LearnedText.ChatResponse"/>, as the model's chat template has it</description></item>
/// <item><term>Conversations</term><description><see cref="LearnedText.Conversation"/>; the text is an array of messages in JSON, and what the assistant says is learnt</description></item>
/// </list>
/// The loss is the mean cross-entropy of the learnt tokens of a batch. The output columns are described at <see cref="CausalLanguageModelTransformer"/>.
/// </remarks>
public sealed class CausalLanguageModelEstimator : IEstimator<CausalLanguageModelTransformer>
{
    private readonly IHost _host;
    private readonly CausalLanguageModelOptions _options;
    private readonly StartingModel _start;
    private readonly FineTuner _tuner;
    private readonly string _textColumnName;

    internal CausalLanguageModelEstimator(IHostEnvironment environment, string textColumnName, CausalLanguageModelOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(textColumnName);
        options.Check();
        _host = environment.Register(nameof(CausalLanguageModelEstimator));
        (_textColumnName, _options) = (textColumnName, options.Copy());
        (_start, _tuner) = (new StartingModel(_options), new FineTuner(_host, _options));
        ScoringSettings(_options.MaxLength).Check();
    }

    /// <summary>Promises the input's columns and those of likelihoods.</summary>
    /// <param name="inputSchema">A schema with the text and, where one is named, the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TextLikelihoodSchema.Promise(inputSchema, ScoringSettings(_options.MaxLength));
    }

    /// <summary>Trains on the rows of a data set.</summary>
    /// <param name="input">Data with the columns; read once to be counted, then once per epoch.</param>
    /// <returns>The transformer; whoever holds it disposes it to free the model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="ArgumentException">The model has no chat template where one is needed.</exception>
    /// <exception cref="InvalidOperationException">There is nothing to learn, or a row's text is to be a conversation and is none.</exception>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The model's folder lacks a file.</exception>
    /// <exception cref="FormatException">A file of the model is damaged or does not fit the others.</exception>
    /// <exception cref="NotSupportedException">The model is of a family, or the tokenizer of a kind, that is not supported.</exception>
    /// <exception cref="NotFiniteNumberException">The loss is not a finite number.</exception>
    /// <exception cref="TrainingCanceledException">The run was cancelled after its first step.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before that.</exception>
    public CausalLanguageModelTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        (TextRows training, TextRows? validation) = Rows(input);
        _start.CheckFolder();
        LanguageModelScorer scorer = LoadScorer(ScoringDevice.Choose(_host, _options.Device));
        try
        {
            EncodedRows<LanguageSequence> Encoded(TextRows texts) => new(LanguageModelTask.Encode(texts, scorer), _options.ShufflePoolSize);
            EncodedRows<LanguageSequence> rows = Encoded(training);
            EncodedRows<LanguageSequence>? validationRows = validation is null ? null : Encoded(validation);
            long sequences = 0, tokens = 0;
            foreach (LanguageSequence sequence in rows.Read(_tuner.CheckAlive)) (sequences, tokens) = (sequences + 1, tokens + sequence.LearnedCount);
            if (sequences == 0) throw new InvalidOperationException($"The training data has nothing to learn; expected rows with texts of at least two tokens in column '{_textColumnName}'.");
            if (validationRows is not null && !validationRows.Read(_tuner.CheckAlive).Any()) throw new InvalidOperationException("The validation rows have nothing to predict.");
            return _tuner.Fit(
                new LanguageModelTask(scorer, _options), new TrainingData<LanguageSequence>(rows, sequences, validationRows, scorer.Encoder.MaxLength),
                $"{sequences} texts with {tokens} tokens to learn",
                environment => new CausalLanguageModelTransformer(environment, scorer, ScoringSettings(scorer.Encoder.MaxLength)));
        }
        catch (Exception error) when (error is not TrainingCanceledException)
        {
            scorer.Dispose();
            throw;
        }
    }

    private LanguageModelScorer LoadScorer(Device device) => _start.LoadScorer(
        config => config, CausalLanguageModel.Create, device,
        (model, tokenizer) => new LanguageModelScorer(model, tokenizer, ScoringSettings(_options.MaxLength), _start.MaxLengthOf(model.Config), _start.Name));

    private (TextRows Training, TextRows? Validation) Rows(IDataView input) =>
        TrainingRows.Find(input, _options, data => new TextRows(data, _textColumnName, _options.PromptColumnName));

    private TextLikelihoodSettings ScoringSettings(int? maxLength) => new()
    {
        TextColumnName = _textColumnName,
        PromptColumnName = _options.PromptColumnName,
        Learned = _options.Learned,
        EndOfText = _options.EndOfText,
        MaxLength = maxLength,
        TruncationSide = _options.TruncationSide,
        MaxTokensPerBatch = _options.MaxTokensPerBatch,
        Device = _options.Device,
    };
}
