using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;
using ITextBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.LanguageText, MLComponents.Transforms.LanguageRow, MLComponents.Transforms.TextLikelihood>;

namespace MLComponents.Transforms;

/// <summary>A causal language model that measures how likely it finds texts; what fine-tuning one gives.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content</description></listheader>
/// <item><term>LogLikelihood</term><description><see langword="float"/>, the sum of the log-probabilities of the text's tokens given those before them, in nats</description></item>
/// <item><term>TokenCount</term><description><see langword="int"/>, how many tokens were measured: all but the first of a text, those of the answer where there is a prompt</description></item>
/// <item><term>Perplexity</term><description><see langword="float"/>, e to the mean negative log-likelihood of a token; NaN where none was measured</description></item>
/// </list>
/// A text of more tokens than the model may read is read in parts, each with the last quarter of the one before for context. Rows are read
/// ahead and served in their own order; several cursors may be open at once. Disposing the transformer frees the model, after which its views throw
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class CausalLanguageModelTransformer : IPredictionTransformer<CausalLanguageModel>, IDisposable, ITextBatchScorer
{
    internal const string LoaderSignature = "MLCLanguageModel";
    internal const string SettingsEntry = "Settings.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCLANGM", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal CausalLanguageModelTransformer(IHostEnvironment env, LanguageModelScorer scorer, TextLikelihoodSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        Host = env.Register(nameof(CausalLanguageModelTransformer));
        (Scorer, Settings) = (scorer, settings.Copy());
    }

    /// <summary>The model, owned by this transformer.</summary>
    public CausalLanguageModel Model => Scorer.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => Scorer.Tokenizer;

    internal IHost Host { get; }

    internal LanguageModelScorer Scorer { get; }

    internal TextLikelihoodSettings Settings { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A schema with the text and, where one is named, the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new TextLikelihoodMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the columns; the model runs when their values are read.</summary>
    /// <param name="input">Data with the text and, where one is named, the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ReadAheadView<LanguageText, TextLikelihood>(new TextLikelihoodMap(this, input.Schema), input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new TextLikelihoodMap(this, inputSchema));
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

    int ITextBatchScorer.BatchSize => Settings.BatchSize;

    int ITextBatchScorer.MaxTokensPerBatch => Settings.MaxTokensPerBatch;

    void ITextBatchScorer.CheckAlive() => CheckAlive();

    LanguageRow ITextBatchScorer.Encode(LanguageText input) => Scorer.Encoder.Encode(input);

    float[][] ITextBatchScorer.Forward(IReadOnlyList<int[]> sequences)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            CheckAlive();
            return Scorer.Forward(sequences);
        }
    }

    TextLikelihood ITextBatchScorer.Combine(LanguageRow row, ReadOnlySpan<float[]> outputs)
    {
        double sum = 0;
        int tokens = 0;
        for (int part = 0; part < row.Parts.Length; part++)
        {
            for (int token = 0; token < row.Parts[part].Ids.Length; token++)
            {
                if (!row.Parts[part].Learned[token]) continue;
                sum += outputs[part][token];
                tokens++;
            }
        }

        return new TextLikelihood(sum, tokens);
    }

    void ITextBatchScorer.TellTruncated(long rows, long truncated)
    {
        using IChannel channel = Host.Start("Scoring");
        channel.Warning(MessageSensitivity.Schema,
            "{0} of {1} texts of column '{2}' had, with what stands before them, more than {3} tokens and were cut (TruncationSide {4}). Raise MaxLength where the model's context allows it.",
            truncated, rows, Settings.TextColumnName, Scorer.Encoder.MaxLength, Settings.TruncationSide);
    }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    internal static CausalLanguageModelTransformer Read(IHostEnvironment env, Action<string, Action<Stream>> loadEntry)
    {
        TextLikelihoodSettings settings = SettingsEntries.Read(loadEntry, SettingsEntry, TextLikelihoodSettings.Read);
        return new CausalLanguageModelTransformer(env, LanguageModelScorer.Read(loadEntry, settings, ScoringDevice.Choose(env, requested: null)), settings);
    }
}
