using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Generates a text for each row of a column with a causal language model.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content</description></listheader>
/// <item><term>the output column</term><description><see langword="string"/>, the new text without special tokens and up to the stop string; with <see cref="TextGenerationOptions.Choices"/> a key with the choices as its values</description></item>
/// <item><term>output column, point, property</term><description>with <see cref="TextGenerationOptions.JsonSchema"/>: the values of required properties; string, Int64, Double or Boolean</description></item>
/// <item><term><see cref="TextGenerationOptions.TokenIdsColumnName"/></term><description><c>Vector&lt;Int32&gt;</c>, the new tokens</description></item>
/// <item><term><see cref="TextGenerationOptions.LogProbabilityColumnName"/></term><description><see langword="float"/>, the sum of their log probabilities, in nats</description></item>
/// <item><term><see cref="TextGenerationOptions.FinishReasonColumnName"/></term><description><see langword="string"/>, why the text ended: the name of a <see cref="FinishReason"/></description></item>
/// </list>
/// Rows are read ahead and generated in their order, many at a time: when a text ends, the next row takes its place. What a row becomes does not depend on the rows
/// beside it. Columns that nobody asks for cost nothing. Several cursors may be open at once, on several threads; the model serves them in turn. Disposing the
/// transformer frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class TextGenerationTransformer : IPredictionTransformer<CausalLanguageModel>, IDisposable
{
    internal const string LoaderSignature = "MLCTextGenerator";
    internal const string SettingsEntry = "Settings.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCTXGEN", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Wraps a generator.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="generator">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and options.</param>
    internal TextGenerationTransformer(IHostEnvironment env, TextGenerator generator, TextGenerationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(env);
        Host = env.Register(nameof(TextGenerationTransformer));
        (Generator, Settings) = (generator, settings);
    }

    /// <summary>The model, owned by this transformer.</summary>
    public CausalLanguageModel Model => Generator.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => Generator.Tokenizer;

    internal IHost Host { get; }

    internal TextGenerator Generator { get; }

    internal TextGenerationSettings Settings { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A schema with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new TextGenerationMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the columns; the model runs when their values are read.</summary>
    /// <param name="input">Data with the input column, and those of the conversation.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ReadAheadView<GenerationPrompt, GeneratedText>(new TextGenerationMap(this, input.Schema), input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new TextGenerationMap(this, inputSchema));
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
            Generator.Save((name, write) => MLNetInterop.SaveEntry(ctx, name, write));
        }
    }

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            Generator.Dispose();
        }
    }

    /// <summary>Throws when the run was cancelled, by the context or by the token of the options.</summary>
    internal void CheckAlive()
    {
        Settings.Options.CancellationToken.ThrowIfCancellationRequested();
        MLNetInterop.CheckAlive(Host);
    }

    /// <summary>Begins to generate for prompts; <see cref="Next"/> goes on.</summary>
    internal IEnumerable<GeneratedText> Generate(IReadOnlyList<int[]> prompts)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Generator.Generate(prompts, CheckAlive, Settings.Options.CancellationToken);
        }
    }

    /// <summary>The next text.</summary>
    internal GeneratedText Next(IEnumerator<GeneratedText> running)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            CheckAlive();
            return running.MoveNext() ? running.Current : throw new InvalidOperationException("Generation ended before all rows had their texts.");
        }
    }

    internal void TellTruncated(long rows, long truncated)
    {
        using IChannel channel = Host.Start("Generation");
        channel.Warning(MessageSensitivity.Schema,
            "{0} of {1} prompts of column '{2}' had more than {3} tokens and were cut (TruncationSide {4}). Lower MaxNewTokens or raise MaxPromptLength where the model's context allows it, or shorten values with FormatPrompt's limits.",
            truncated, rows, Settings.InputColumnName, Generator.MaxPromptLength, Settings.Options.TruncationSide);
    }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    internal static TextGenerationTransformer Read(IHostEnvironment env, Action<string, Action<Stream>> loadEntry)
    {
        TextGenerationSettings settings = SettingsEntries.Read(loadEntry, SettingsEntry, TextGenerationSettings.Read);
        return new(env, TextGenerator.Read(loadEntry, settings.Options, ScoringDevice.Choose(env, requested: null)), settings);
    }
}
