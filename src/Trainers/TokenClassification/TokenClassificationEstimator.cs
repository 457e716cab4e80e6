using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Fine-tunes a decoder language model to label the tokens of texts. Made by <c>mlContext.MulticlassClassification.Trainers.TokenClassification</c>.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Input</term><description>Columns</description></listheader>
/// <item><term>Tokens with tags</term><description>the text is a vector of texts, the label a vector of as many texts, or of keys whose values are texts; a missing key is a token that is not learnt from</description></item>
/// <item><term>Texts with entities</term><description>the text is a text, the label a vector of the entities' types, beside vectors of Int32 with their first characters and their lengths
/// (<see cref="TokenClassificationOptions.SpanStartColumnName"/>, <see cref="TokenClassificationOptions.SpanLengthColumnName"/>). An entity that begins or ends within a word has all of the word</description></item>
/// </list>
/// A token is labelled at the last of the model's tokens that it consists of; long texts are read in overlapping windows and every token is learnt from once.
/// The output columns are described at <see cref="TokenClassificationTransformer"/>.
/// </remarks>
public sealed class TokenClassificationEstimator : IEstimator<TokenClassificationTransformer>
{
    private readonly IHost _host;
    private readonly TokenClassificationOptions _options;
    private readonly StartingModel _start;
    private readonly FineTuner _tuner;
    private readonly string _labelColumnName;
    private readonly string _textColumnName;

    internal TokenClassificationEstimator(IHostEnvironment environment, string labelColumnName, string textColumnName, TokenClassificationOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(labelColumnName);
        ArgumentException.ThrowIfNullOrEmpty(textColumnName);
        options.Check();
        _host = environment.Register(nameof(TokenClassificationEstimator));
        (_labelColumnName, _textColumnName, _options) = (labelColumnName, textColumnName, options.Copy());
        (_start, _tuner) = (new StartingModel(_options), new FineTuner(_host, _options));
        ScoringSettings(_options.MaxLength).Check();
    }

    /// <summary>Promises the input's columns and those of labels and entities.</summary>
    /// <param name="inputSchema">A schema with the text column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The text column is missing or neither a text nor a vector of texts.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TokenClassificationSchema.Promise(inputSchema, ScoringSettings(_options.MaxLength), ClassLabels.Text([TagSpans.Outside]));
    }

    /// <summary>Trains on the rows of a data set.</summary>
    /// <param name="input">Data with the columns; read to find the tags and to count windows, then once per epoch.</param>
    /// <returns>The transformer; whoever holds it disposes it to free the model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">There is no labelled token, all have one label, or a row's vectors do not fit each other.</exception>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The model's folder lacks a file.</exception>
    /// <exception cref="FormatException">A file of the model is damaged or does not fit the others.</exception>
    /// <exception cref="NotSupportedException">The model is of a family, or the tokenizer of a kind, that is not supported.</exception>
    /// <exception cref="NotFiniteNumberException">The loss is not a finite number.</exception>
    /// <exception cref="TrainingCanceledException">The run was cancelled after its first step.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before that.</exception>
    public TokenClassificationTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        (TaggedTexts training, TaggedTexts? validation) = Rows(input);
        _start.CheckFolder();
        Device device = ScoringDevice.Choose(_host, _options.Device);
        string[] tags = training.Tags(_tuner.CheckAlive);
        if (tags.Length < 2)
            throw new InvalidOperationException($"The training rows have {(tags.Length == 0 ? "no tag" : $"no tag but '{tags[0]}'")} in column '{_labelColumnName}'; expected at least two.");

        TokenClassifier scorer = LoadScorer(tags, device);
        try
        {
            EncodedRows<TaggedWindow> Encoded(TaggedTexts texts) => new(TokenClassificationTask.Encode(texts, scorer, tags), _options.ShufflePoolSize);
            EncodedRows<TaggedWindow> rows = Encoded(training);
            EncodedRows<TaggedWindow>? validationRows = validation is null ? null : Encoded(validation);
            long windows = rows.Read(_tuner.CheckAlive).LongCount();
            if (windows == 0) throw new InvalidOperationException($"The training data has no labelled token; expected rows with the columns '{_textColumnName}' and '{_labelColumnName}'.");
            if (validationRows is not null && !validationRows.Read(_tuner.CheckAlive).Any()) throw new InvalidOperationException("The validation rows have no labelled token.");
            return _tuner.Fit(
                new TokenClassificationTask(scorer, tags, _options), new TrainingData<TaggedWindow>(rows, windows, validationRows, scorer.MaxLength),
                $"{windows} windows of texts with {tags.Length} tags",
                environment => new TokenClassificationTransformer(environment, scorer, ClassLabels.Text(tags), ScoringSettings(scorer.MaxLength)));
        }
        catch (Exception error) when (error is not TrainingCanceledException)
        {
            scorer.Dispose();
            throw;
        }
    }

    private TokenClassifier LoadScorer(string[] tags, Device device) => _start.LoadScorer(
        config => config with { LabelNames = [.. tags] }, TokenClassificationModel.Create, device,
        (model, tokenizer) => new TokenClassifier(model, tokenizer, ScoringSettings(_start.MaxLengthOf(model.Config)), _start.Name));

    private (TaggedTexts Training, TaggedTexts? Validation) Rows(IDataView input) =>
        TrainingRows.Find(input, _options, data => new TaggedTexts(data, _textColumnName, _labelColumnName, _options));

    private TokenClassificationSettings ScoringSettings(int? maxLength) => new()
    {
        TextColumnName = _textColumnName,
        PredictedLabelColumnName = _options.PredictedLabelColumnName,
        ProbabilityColumnName = _options.ProbabilityColumnName,
        TokenColumnName = _options.TokenColumnName,
        EntityColumnName = _options.EntityColumnName,
        MaxLength = maxLength,
        Stride = _options.Stride,
        MaxTokensPerBatch = _options.MaxTokensPerBatch,
        Device = _options.Device,
    };
}
