using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;
using IQuestionBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.QuestionAndContext, MLComponents.Transforms.QuestionRow, MLComponents.Transforms.Answer[]>;

namespace MLComponents.Transforms;

/// <summary>Answers questions with parts of a text, found by a decoder language model.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content; K is <see cref="QuestionAnsweringSettings.TopK"/></description></listheader>
/// <item><term>Answer</term><description><c>Vector&lt;String, K&gt;</c>, the answers, the best first: parts of the context as they stand there; empty where a context has fewer</description></item>
/// <item><term>Score</term><description><c>Vector&lt;Single, K&gt;</c>, how likely each is among the candidates, 0 to 1; 0 where there is none</description></item>
/// <item><term>AnswerStart</term><description><c>Vector&lt;Int32, K&gt;</c>, where in the context each begins, in UTF-16 characters; -1 where there is none</description></item>
/// </list>
/// The model reads the question and then the context. A context of more tokens than it may read is read in windows that overlap; candidates of all windows
/// are ranked together, by the sum of the logits of their first and last token, and the score is the softmax over the best 20. Answers may overlap each other. Rows are read
/// ahead and served in their own order; several cursors may be open at once. Disposing the transformer frees the model, after which its views throw
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class QuestionAnsweringTransformer : IPredictionTransformer<QuestionAnsweringModel>, IDisposable, IQuestionBatchScorer
{
    internal const string LoaderSignature = "MLCQuestionAnswerer";
    internal const string SettingsEntry = "Settings.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCQUEST", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal QuestionAnsweringTransformer(IHostEnvironment env, QuestionAnsweringScorer scorer, QuestionAnsweringSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        Host = env.Register(nameof(QuestionAnsweringTransformer));
        (Scorer, Settings) = (scorer, settings.Copy());
    }

    /// <summary>The model, owned by this transformer.</summary>
    public QuestionAnsweringModel Model => Scorer.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => Scorer.Tokenizer;

    internal IHost Host { get; }

    internal QuestionAnsweringScorer Scorer { get; }

    internal QuestionAnsweringSettings Settings { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A schema with the context and the question.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new QuestionAnsweringMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the columns; the model runs when their values are read.</summary>
    /// <param name="input">Data with the context and the question.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ReadAheadView<QuestionAndContext, Answer[]>(new QuestionAnsweringMap(this, input.Schema), input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new QuestionAnsweringMap(this, inputSchema));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        MLNetInterop.BeginSave(ctx, Format);
        MLNetInterop.SaveEntry(ctx, SettingsEntry, stream =>
        {
            using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
            Settings.Write(writer);
        });
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Scorer.Save((name, write) => MLNetInterop.SaveEntry(ctx, name, write));
        }
    }

    /// <summary>Writes a folder that Hugging Face's libraries load: the whole model, with its adapters merged into its weights, or its adapter alone; and the tokenizer.</summary>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="adapterOnly">
    /// Whether to write <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>, as PEFT does, instead of a whole model. Merging makes a copy of the model for the time it takes.
    /// </param>
    /// <exception cref="InvalidOperationException">An adapter is asked for, and the model does not have exactly one.</exception>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public void SavePretrained(string folder, bool adapterOnly = false)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            PretrainedFolder.Save(Model, Tokenizer, folder, adapterOnly);
        }
    }

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            Scorer.Dispose();
        }
    }

    /// <summary>Throws when the run was cancelled, by the context or by the token of the settings.</summary>
    internal void CheckAlive()
    {
        Settings.CancellationToken.ThrowIfCancellationRequested();
        MLNetInterop.CheckAlive(Host);
    }

    int IQuestionBatchScorer.BatchSize => Settings.BatchSize;

    int IQuestionBatchScorer.MaxTokensPerBatch => Settings.MaxTokensPerBatch;

    void IQuestionBatchScorer.CheckAlive() => CheckAlive();

    QuestionRow IQuestionBatchScorer.Encode(QuestionAndContext input) => Scorer.Encoder.Encode(input);

    float[][] IQuestionBatchScorer.Forward(IReadOnlyList<int[]> sequences)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            CheckAlive();
            return Scorer.Forward(sequences);
        }
    }

    Answer[] IQuestionBatchScorer.Combine(QuestionRow row, ReadOnlySpan<float[]> outputs) =>
        AnswerSearch.Best(row, outputs, Settings.TopK, Settings.MaxAnswerLength);

    void IQuestionBatchScorer.TellTruncated(long rows, long truncated)
    {
        using IChannel channel = Host.Start("Scoring");
        channel.Warning(MessageSensitivity.Schema,
            "{0} of {1} questions of column '{2}' had more than {3} tokens and were cut at the end. Raise MaxQuestionLength.",
            truncated, rows, Settings.QuestionColumnName, Scorer.Encoder.MaxQuestionLength);
    }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    internal static QuestionAnsweringTransformer Read(IHostEnvironment env, Action<string, Action<Stream>> loadEntry)
    {
        QuestionAnsweringSettings settings = SettingsEntries.Read(loadEntry, SettingsEntry, QuestionAnsweringSettings.Read);
        return new(env, QuestionAnsweringScorer.Read(loadEntry, settings, ScoringDevice.Choose(env, requested: null)), settings);
    }
}
