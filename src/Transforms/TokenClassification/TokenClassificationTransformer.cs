using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Labels the tokens of a text with a decoder language model, and finds the entities that the labels spell.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content</description></listheader>
/// <item><term>Token</term><description><c>Vector&lt;String&gt;</c>, only where the input is a text: its words and other characters, each of which has a label</description></item>
/// <item><term>PredictedLabel</term><description><c>Vector&lt;Key&gt;</c>, the label of each token; as many as tokens were given</description></item>
/// <item><term>Probability</term><description><c>Vector&lt;Single&gt;</c>, the probability of each label</description></item>
/// <item><term>Entity</term><description><c>Vector&lt;String&gt;</c>, the entities: parts of the text, or tokens with a space between each two</description></item>
/// <item><term>EntityLabel</term><description><c>Vector&lt;String&gt;</c>, what they are, without a tag's prefix such as B-</description></item>
/// <item><term>EntityStart, EntityLength</term><description><c>Vector&lt;Int32&gt;</c>, where they are: UTF-16 characters of the text, or tokens where tokens were given</description></item>
/// <item><term>EntityProbability</term><description><c>Vector&lt;Single&gt;</c>, the mean of their tokens' probabilities</description></item>
/// </list>
/// A token is labelled at the last of the model's tokens that it consists of, the first that has read all of it. A text of more tokens than the model may read is read in
/// windows, each beginning with the end of the one before; nothing is cut, and nothing is labelled twice. Tags follow any of IOB1, IOB2, IOE and
/// IOBES, or have no prefixes; entities are those of seqeval. Rows are read ahead and served in their own order; several cursors may be open at once.
/// Disposing the transformer frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class TokenClassificationTransformer : IPredictionTransformer<TokenClassificationModel>, IDisposable
{
    internal const string LoaderSignature = "MLCTokenClassifier";
    internal const string SettingsEntry = "Settings.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCTOKCL", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="labels">What its outputs mean.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal TokenClassificationTransformer(IHostEnvironment env, ITokenScorer scorer, ClassLabels labels, TokenClassificationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        if (scorer.OutputCount != labels.Count)
            throw new ArgumentException($"The model has {scorer.OutputCount} outputs for {labels.Count} labels; expected as many.", nameof(scorer));
        Host = env.Register(nameof(TokenClassificationTransformer));
        (Scorer, Labels, Settings, Spans) = (scorer, labels, settings.Copy(), new TagSpans(labels.Names));
    }

    /// <summary>The column that is read.</summary>
    public string TextColumnName => Settings.TextColumnName;

    /// <summary>The labels as text, in the order of their keys.</summary>
    public IReadOnlyList<string> LabelNames => Labels.Names;

    /// <summary>The model, owned by this transformer.</summary>
    public TokenClassificationModel Model => Classifier.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => Classifier.Tokenizer;

    private TokenClassifier Classifier => Scorer as TokenClassifier
        ?? throw new InvalidOperationException("This transformer scores with something else than a token classification model.");

    internal IHost Host { get; }

    internal ITokenScorer Scorer { get; }

    internal ClassLabels Labels { get; }

    internal TagSpans Spans { get; }

    internal TokenClassificationSettings Settings { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A schema with the text column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The text column is missing or neither a text nor a vector of texts.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new TokenClassificationMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the columns; the model runs when their values are read.</summary>
    /// <param name="input">Data with the text column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The text column is missing or neither a text nor a vector of texts.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ReadAheadView<TokenizedText, TaggedText>(new TokenClassificationMap(this, input.Schema), input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new TokenClassificationMap(this, inputSchema));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        MLNetInterop.BeginSave(ctx, Format);
        MLNetInterop.SaveEntry(ctx, SettingsEntry, stream =>
        {
            using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
            Settings.Write(writer);
            Labels.Write(writer);
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

    /// <summary>Runs the model once, for whichever thread comes first.</summary>
    internal float[][] Forward(IReadOnlyList<int[]> rows)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            CheckAlive();
            return Scorer.Forward(rows);
        }
    }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    internal static TokenClassificationTransformer Read(IHostEnvironment env, Action<string, Action<Stream>> loadEntry)
    {
        (TokenClassificationSettings settings, ClassLabels labels) = SettingsEntries.Read(loadEntry, SettingsEntry,
            reader => (TokenClassificationSettings.Read(reader), ClassLabels.Read(reader)));
        TokenClassifier classifier = TokenClassifier.Read(loadEntry, settings, ScoringDevice.Choose(env, requested: null));
        try
        {
            return new TokenClassificationTransformer(env, classifier, labels, settings);
        }
        catch (ArgumentException error)
        {
            classifier.Dispose();
            throw new FormatException($"The model file is damaged: {error.Message}", error);
        }
    }
}
