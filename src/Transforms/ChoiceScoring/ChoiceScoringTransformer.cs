using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;
using IChoiceBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.GenerationPrompt, MLComponents.Transforms.EncodedText, MLComponents.Transforms.ScoredChoices>;

namespace MLComponents.Transforms;

/// <summary>Classifies texts, without training, by how likely a causal language model finds each of some choices after them.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content; K is the number of choices</description></listheader>
/// <item><term>PredictedLabel</term><description>key with the choices as its values</description></item>
/// <item><term>Score</term><description><c>Vector&lt;Single, K&gt;</c> of probabilities that sum to 1</description></item>
/// <item><term>Probability</term><description><see langword="float"/>, the probability of the predicted choice</description></item>
/// <item><term><see cref="ChoiceScoringOptions.LogLikelihoodColumnName"/></term><description><c>Vector&lt;Single, K&gt;</c>, the log-likelihoods of the choices after the prompt, in nats</description></item>
/// </list>
/// The probabilities are the softmax of the log-likelihoods, from which those after the content-free prompt are taken off and which are then divided by a length, where
/// that is asked for. A prompt is read once for all choices, and what several choices begin with is read once, too. Rows are read ahead and served in their own order;
/// several cursors may be open at once. Disposing the transformer frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class ChoiceScoringTransformer : IPredictionTransformer<CausalLanguageModel>, IDisposable, IChoiceBatchScorer
{
    internal const string LoaderSignature = "MLCChoiceScorer";
    internal const string SettingsEntry = "Settings.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCCHOIC", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and options.</param>
    internal ChoiceScoringTransformer(IHostEnvironment env, ChoiceScorer scorer, ChoiceScoringSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        Host = env.Register(nameof(ChoiceScoringTransformer));
        (Scorer, Settings) = (scorer, settings);
    }

    /// <summary>The choices, in the order of the slots of the score.</summary>
    public IReadOnlyList<string> Choices => Settings.Choices;

    /// <summary>The model, owned by this transformer.</summary>
    public CausalLanguageModel Model => Scorer.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => Scorer.Tokenizer;

    internal IHost Host { get; }

    internal ChoiceScorer Scorer { get; }

    internal ChoiceScoringSettings Settings { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A schema with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new ChoiceScoringMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the columns; the model runs when their values are read.</summary>
    /// <param name="input">Data with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ReadAheadView<GenerationPrompt, ScoredChoices>(new ChoiceScoringMap(this, input.Schema), input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new ChoiceScoringMap(this, inputSchema));
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

    /// <summary>Throws when the run was cancelled, by the context or by the token of the options.</summary>
    internal void CheckAlive()
    {
        Settings.Options.CancellationToken.ThrowIfCancellationRequested();
        MLNetInterop.CheckAlive(Host);
    }

    int IChoiceBatchScorer.BatchSize => Settings.Options.BatchSize;

    // Prompts are read one by one: a batch is of their choices.
    int IChoiceBatchScorer.MaxTokensPerBatch => int.MaxValue;

    void IChoiceBatchScorer.CheckAlive() => CheckAlive();

    EncodedText IChoiceBatchScorer.Encode(GenerationPrompt input) => Scorer.Encode(input);

    float[][] IChoiceBatchScorer.Forward(IReadOnlyList<int[]> sequences)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Scorer.Forward(sequences, CheckAlive);
        }
    }

    ScoredChoices IChoiceBatchScorer.Combine(EncodedText row, ReadOnlySpan<float[]> outputs) => Scorer.Score(outputs[0]);

    void IChoiceBatchScorer.TellTruncated(long rows, long truncated)
    {
        using IChannel channel = Host.Start("Scoring");
        channel.Warning(MessageSensitivity.Schema,
            "{0} of {1} prompts of column '{2}' had more than {3} tokens and were cut (TruncationSide {4}). Raise MaxPromptLength where the model's context allows it, or shorten values with FormatPrompt's limits.",
            truncated, rows, Settings.InputColumnName, Scorer.MaxPromptLength, Settings.Options.TruncationSide);
    }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    internal static ChoiceScoringTransformer Read(IHostEnvironment env, Action<string, Action<Stream>> loadEntry)
    {
        ChoiceScoringSettings settings = SettingsEntries.Read(loadEntry, SettingsEntry, ChoiceScoringSettings.Read);
        return new(env, ChoiceScorer.Read(loadEntry, settings, ScoringDevice.Choose(env, requested: null)), settings);
    }
}
