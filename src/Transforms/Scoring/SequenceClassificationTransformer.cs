using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;
using ITextBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.TextInput, MLComponents.Transforms.EncodedText, MLComponents.Transforms.Classification>;

namespace MLComponents.Transforms;

/// <summary>
/// Classifies the texts of a column with a decoder language model: adds the predicted label, the scores and a probability.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Multi-class; binary; multi-label</description></listheader>
/// <item><term>PredictedLabel</term><description>key with the training labels as its values; <see langword="bool"/>; <c>Vector&lt;Boolean, labels&gt;</c>, what is more probable than not</description></item>
/// <item><term>Score</term><description><c>Vector&lt;Single, labels&gt;</c> of probabilities that sum to 1; <see langword="float"/>, the logit of <see langword="true"/>; <c>Vector&lt;Single, labels&gt;</c> of logits</description></item>
/// <item><term>Probability</term><description><see langword="float"/>, the probability of the predicted label; of <see langword="true"/>; <c>Vector&lt;Single, labels&gt;</c>, of each label</description></item>
/// </list>
/// Rows are read ahead, scored in batches of like length and served in their own order; columns that nobody asks for cost
/// nothing. Several cursors may be open at once, on several threads; the model serves them in turn. Disposing the transformer
/// frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class SequenceClassificationTransformer : IPredictionTransformer<SequenceClassificationModel>, IDisposable, ITextBatchScorer
{
    internal const string LoaderSignature = "MLCSequenceClassifier";
    internal const string SettingsEntry = "Settings.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCSEQCL", SequenceClassificationSettings.Version, SequenceClassificationSettings.Version, SequenceClassificationSettings.OldestVersion, LoaderSignature);

    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Wraps a model and its tokenizer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="model">The model, where it is to run; owned by this transformer from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="labels">What its outputs mean.</param>
    /// <param name="settings">Columns, lengths and batches; copied. Its device is of no consequence.</param>
    internal SequenceClassificationTransformer(IHostEnvironment env, SequenceClassificationModel model, PretrainedTokenizer tokenizer,
        ClassLabels labels, SequenceClassificationSettings settings)
        : this(env, new TextClassifier(model, tokenizer, settings.MaxLength, settings.TruncationSide), labels, settings)
    {
    }

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="labels">What its outputs mean.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal SequenceClassificationTransformer(IHostEnvironment env, ITextScorer scorer, ClassLabels labels, SequenceClassificationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        bool fits = labels.IsBinary ? scorer.OutputCount is 1 or 2 : scorer.OutputCount == labels.Count;
        if (!fits)
            throw new ArgumentException($"The model has {scorer.OutputCount} outputs for {(labels.IsBinary ? "a Boolean label" : $"{labels.Count} labels")}; expected {(labels.IsBinary ? "1 or 2" : labels.Count)}.", nameof(scorer));
        Host = env.Register(nameof(SequenceClassificationTransformer));
        Scorer = scorer;
        Labels = labels;
        Settings = settings.Copy();
    }

    /// <summary>The text column that is read.</summary>
    public string TextColumnName => Settings.TextColumnName;

    /// <summary>The column of the second texts, where pairs are read; else null.</summary>
    public string? TextPairColumnName => Settings.TextPairColumnName;

    /// <summary>The labels as text, in the order of the slots of the score; "false", "true" for a binary classifier.</summary>
    public IReadOnlyList<string> LabelNames => Labels.Names;

    /// <summary>The model, owned by this transformer. With <see cref="Tokenizer"/> it can be saved as a Hugging Face folder.</summary>
    public SequenceClassificationModel Model => Classifier.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => Classifier.Tokenizer;

    private TextClassifier Classifier => Scorer as TextClassifier
        ?? throw new InvalidOperationException("This transformer scores with something else than a sequence classification model.");

    internal IHost Host { get; }

    internal ITextScorer Scorer { get; }

    internal ClassLabels Labels { get; }

    internal SequenceClassificationSettings Settings { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The input's columns and the three added ones.</summary>
    /// <param name="inputSchema">A schema with the text column, and that of the second texts where one is named.</param>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new ClassificationMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the columns; the model runs when their values are read.</summary>
    /// <param name="input">Data with the text column, and that of the second texts where one is named.</param>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ReadAheadView<TextInput, Classification>(new ClassificationMap(this, input.Schema), input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new ClassificationMap(this, inputSchema));
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

    int ITextBatchScorer.BatchSize => Settings.BatchSize;

    int ITextBatchScorer.MaxTokensPerBatch => Settings.MaxTokensPerBatch;

    void ITextBatchScorer.CheckAlive() => CheckAlive();

    EncodedText ITextBatchScorer.Encode(TextInput input) => Scorer.Encode(input);

    float[][] ITextBatchScorer.Forward(IReadOnlyList<int[]> sequences)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            CheckAlive();
            return Scorer.Forward(sequences);
        }
    }

    Classification ITextBatchScorer.Combine(EncodedText row, ReadOnlySpan<float[]> outputs) =>
        Labels.IsBinary ? Classification.Binary(outputs[0])
        : Labels.IsMultiLabel ? Classification.MultiLabel(outputs[0])
        : Classification.Multiclass(outputs[0]);

    void ITextBatchScorer.TellTruncated(long rows, long truncated)
    {
        using IChannel channel = Host.Start("Scoring");
        channel.Warning(MessageSensitivity.Schema,
            "{0} of {1} {2} had more than {3} tokens and were cut (TruncationSide {4}). Raise MaxLength where the model's context allows it, or shorten values with FormatPrompt's limits.",
            truncated, rows, TextColumns.Describe(Settings.TextColumnName, Settings.TextPairColumnName), Scorer.MaxLength, Settings.TruncationSide);
    }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    internal static SequenceClassificationTransformer Read(IHostEnvironment env, Action<string, Action<Stream>> loadEntry, uint version)
    {
        (SequenceClassificationSettings settings, ClassLabels labels) = SettingsEntries.Read(loadEntry, SettingsEntry,
            reader => (SequenceClassificationSettings.Read(reader, version), ClassLabels.Read(reader)));
        TextClassifier classifier = TextClassifier.Read(loadEntry, settings, ScoringDevice.Choose(env, requested: null));
        try
        {
            return new SequenceClassificationTransformer(env, classifier, labels, settings);
        }
        catch (ArgumentException error)
        {
            classifier.Dispose();
            throw new FormatException($"The model file is damaged: {error.Message}", error);
        }
    }
}
