using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Fine-tunes a decoder language model to answer questions with parts of a text. Made by <c>mlContext.MulticlassClassification.Trainers.QuestionAnswering</c>.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Input column</term><description>Type</description></listheader>
/// <item><term>Context, Question</term><description>text</description></item>
/// <item><term>TrainingAnswer</term><description>text, as it stands in the context, or empty where the context does not answer; or a vector of texts, of which the first is learnt</description></item>
/// <item><term>AnswerIndex</term><description>Int32, the character of the context, counted in UTF-16 from 0, where the answer begins; or a vector of as many as there are answers</description></item>
/// </list>
/// Long contexts are read in overlapping windows; a window that does not hold all of the answer is taught to point to its first token, as in the
/// reference's example. The output columns are described at <see cref="QuestionAnsweringTransformer"/>.
/// </remarks>
public sealed class QuestionAnsweringEstimator : IEstimator<QuestionAnsweringTransformer>
{
    private readonly IHost _host;
    private readonly QuestionAnsweringOptions _options;
    private readonly StartingModel _start;
    private readonly FineTuner _tuner;
    private readonly (string Context, string Question, string Answer, string Start) _columns;

    internal QuestionAnsweringEstimator(
        IHostEnvironment environment, string contextColumnName, string questionColumnName, string answerColumnName, string startColumnName, QuestionAnsweringOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(contextColumnName);
        ArgumentException.ThrowIfNullOrEmpty(questionColumnName);
        ArgumentException.ThrowIfNullOrEmpty(answerColumnName);
        ArgumentException.ThrowIfNullOrEmpty(startColumnName);
        options.Check();
        _host = environment.Register(nameof(QuestionAnsweringEstimator));
        (_columns, _options) = ((contextColumnName, questionColumnName, answerColumnName, startColumnName), options.Copy());
        (_start, _tuner) = (new StartingModel(_options), new FineTuner(_host, _options));
        ScoringSettings().Check();
    }

    /// <summary>Promises the input's columns and those of answers.</summary>
    /// <param name="inputSchema">A schema with the context and the question.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return QuestionAnsweringSchema.Promise(inputSchema, ScoringSettings());
    }

    /// <summary>Trains on the rows of a data set.</summary>
    /// <param name="input">Data with the columns; read once to count windows, then once per epoch.</param>
    /// <returns>The transformer; whoever holds it disposes it to free the model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">There are no rows, or an answer does not stand where it is said to.</exception>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The model's folder lacks a file.</exception>
    /// <exception cref="FormatException">A file of the model is damaged or does not fit the others.</exception>
    /// <exception cref="NotSupportedException">The model is of a family, or the tokenizer of a kind, that is not supported.</exception>
    /// <exception cref="NotFiniteNumberException">The loss is not a finite number.</exception>
    /// <exception cref="TrainingCanceledException">The run was cancelled after its first step.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before that.</exception>
    public QuestionAnsweringTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        (AnsweredQuestions training, AnsweredQuestions? validation) = Rows(input);
        _start.CheckFolder();
        QuestionAnsweringScorer scorer = LoadScorer(ScoringDevice.Choose(_host, _options.Device));
        try
        {
            EncodedRows<AnsweredWindow> Encoded(AnsweredQuestions questions) => new(QuestionAnsweringTask.Encode(questions, scorer), _options.ShufflePoolSize);
            EncodedRows<AnsweredWindow> rows = Encoded(training);
            EncodedRows<AnsweredWindow>? validationRows = validation is null ? null : Encoded(validation);
            long windows = rows.Read(_tuner.CheckAlive).LongCount();
            if (windows == 0) throw new InvalidOperationException($"The training data has no rows with a context; expected rows with the columns '{_columns.Context}', '{_columns.Question}', '{_columns.Answer}' and '{_columns.Start}'.");
            if (validationRows is not null && !validationRows.Read(_tuner.CheckAlive).Any()) throw new InvalidOperationException("The validation rows have no context.");
            return _tuner.Fit(
                new QuestionAnsweringTask(scorer, _options),
                new TrainingData<AnsweredWindow>(rows, windows, validationRows, scorer.Encoder.MaxQuestionLength), $"{windows} windows of questions and contexts",
                environment => new QuestionAnsweringTransformer(environment, scorer, ScoringSettings()));
        }
        catch (Exception error) when (error is not TrainingCanceledException)
        {
            scorer.Dispose();
            throw;
        }
    }

    private QuestionAnsweringScorer LoadScorer(Device device) => _start.LoadScorer(
        config => config, QuestionAnsweringModel.Create, device, (model, tokenizer) => new QuestionAnsweringScorer(model, tokenizer, ScoringSettings(), _start.Name));

    private (AnsweredQuestions Training, AnsweredQuestions? Validation) Rows(IDataView input) =>
        TrainingRows.Find(input, _options, data => new AnsweredQuestions(data, _columns.Context, _columns.Question, _columns.Answer, _columns.Start));

    private QuestionAnsweringSettings ScoringSettings() => new()
    {
        ContextColumnName = _columns.Context,
        QuestionColumnName = _columns.Question,
        AnswerColumnName = _options.AnswerColumnName,
        ScoreColumnName = _options.ScoreColumnName,
        AnswerStartColumnName = _options.AnswerStartColumnName,
        TopK = _options.TopK,
        MaxAnswerLength = _options.MaxAnswerLength,
        MaxQuestionLength = _options.MaxQuestionLength,
        MaxLength = _options.MaxLength,
        Stride = _options.Stride,
        MaxTokensPerBatch = _options.MaxTokensPerBatch,
        Device = _options.Device,
    };
}
