using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;
using ITextBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.TextInput, MLComponents.Transforms.EncodedText, float>;

namespace MLComponents.Transforms;

/// <summary>Gives the texts of a column a number with a decoder language model: adds the column Score, a <see langword="float"/>.</summary>
/// <remarks>
/// Rows are read ahead, scored in batches of like length and served in their own order; where nobody asks for the column, nothing is computed. Several cursors may be
/// open at once, on several threads; the model serves them in turn. Disposing the transformer frees the model.
/// </remarks>
public sealed class SequenceRegressionTransformer : IPredictionTransformer<SequenceClassificationModel>, IDisposable, ITextBatchScorer
{
    internal const string LoaderSignature = "MLCSequenceRegressor";
    internal const string SettingsEntry = "Settings.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCSEQRG", SequenceClassificationSettings.Version, SequenceClassificationSettings.Version, SequenceClassificationSettings.OldestVersion, LoaderSignature);

    private readonly Lock _gate = new();
    private readonly IHost _host;
    private readonly TextClassifier _scorer;
    private bool _disposed;

    /// <summary>Wraps a scorer with one output.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal SequenceRegressionTransformer(IHostEnvironment env, TextClassifier scorer, SequenceClassificationSettings settings)
    {
        settings.Check();
        if (scorer.OutputCount != 1) throw new ArgumentException($"The model has {scorer.OutputCount} outputs; a regression has 1.", nameof(scorer));
        (_host, _scorer, Settings) = (env.Register(nameof(SequenceRegressionTransformer)), scorer, settings.Copy());
    }

    /// <summary>The text column that is read.</summary>
    public string TextColumnName => Settings.TextColumnName;

    /// <summary>The column of the second texts, where pairs are read; else null.</summary>
    public string? TextPairColumnName => Settings.TextPairColumnName;

    /// <summary>The column that is added.</summary>
    public string ScoreColumnName => Settings.ScoreColumnName;

    /// <summary>The model, owned by this transformer.</summary>
    public SequenceClassificationModel Model => _scorer.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => _scorer.Tokenizer;

    internal SequenceClassificationSettings Settings { get; }

    bool ITransformer.IsRowToRowMapper => true;

    int ITextBatchScorer.BatchSize => Settings.BatchSize;

    int ITextBatchScorer.MaxTokensPerBatch => Settings.MaxTokensPerBatch;

    /// <summary>The input's columns and the score.</summary>
    /// <param name="inputSchema">A schema with the text column, and that of the second texts where one is named.</param>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new RegressionMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the score; the model runs when its values are read.</summary>
    /// <param name="input">Data with the text column, and that of the second texts where one is named.</param>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ReadAheadView<TextInput, float>(new RegressionMap(this, input.Schema), input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new RegressionMap(this, inputSchema));
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
            _scorer.Save((name, write) => MLNetInterop.SaveEntry(ctx, name, write));
        }
    }

    /// <summary>Writes a folder that Hugging Face's libraries load: the whole model, with its adapters merged into its weights, or its adapter alone; and the tokenizer.</summary>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="adapterOnly">Whether to write the adapter as PEFT does, instead of a whole model. Merging makes a copy of the model for the time it takes.</param>
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
            _scorer.Dispose();
        }
    }

    void ITextBatchScorer.CheckAlive() => CheckAlive();

    EncodedText ITextBatchScorer.Encode(TextInput input) => _scorer.Encode(input);

    float[][] ITextBatchScorer.Forward(IReadOnlyList<int[]> sequences)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            CheckAlive();
            return _scorer.Forward(sequences);
        }
    }

    float ITextBatchScorer.Combine(EncodedText row, ReadOnlySpan<float[]> outputs) => outputs[0][0];

    void ITextBatchScorer.TellTruncated(long rows, long truncated)
    {
        using IChannel channel = _host.Start("Scoring");
        channel.Warning(MessageSensitivity.Schema,
            "{0} of {1} {2} had more than {3} tokens and were cut (TruncationSide {4}). Raise MaxLength where the model's context allows it, or shorten values with FormatPrompt's limits.",
            truncated, rows, TextColumns.Describe(Settings.TextColumnName, Settings.TextPairColumnName), _scorer.MaxLength, Settings.TruncationSide);
    }

    internal void CheckAlive()
    {
        Settings.CancellationToken.ThrowIfCancellationRequested();
        MLNetInterop.CheckAlive(_host);
    }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    internal static SequenceRegressionTransformer Read(IHostEnvironment env, Action<string, Action<Stream>> loadEntry, uint version)
    {
        SequenceClassificationSettings settings = SettingsEntries.Read(loadEntry, SettingsEntry, reader => SequenceClassificationSettings.Read(reader, version));
        TextClassifier scorer = TextClassifier.Read(loadEntry, settings, ScoringDevice.Choose(env, requested: null));
        try
        {
            return new SequenceRegressionTransformer(env, scorer, settings);
        }
        catch (ArgumentException error)
        {
            scorer.Dispose();
            throw new FormatException($"The model file is damaged: {error.Message}", error);
        }
    }
}
