using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>A transformer that owns a decoder language model: what all of them have in common. Nothing outside this library derives from it.</summary>
/// <remarks>
/// Rows are read ahead and served in their own order; columns that nobody asks for cost nothing. Several cursors may be open at once, on several threads; the model
/// serves them in turn. Disposing the transformer frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
/// <typeparam name="TModel">The model under its head.</typeparam>
public abstract class DecoderTransformer<TModel> : IPredictionTransformer<TModel>, IDisposable, IModelRun
    where TModel : PretrainedModel
{
    private readonly Lock _gate = new();
    private readonly IModelScorer _scorer;
    private readonly MLNetInterop.ModelFormat _format;
    private bool _disposed;

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">How it runs; checked and copied.</param>
    /// <param name="format">What the transformer's part of a model file says of itself.</param>
    private protected DecoderTransformer(IHostEnvironment env, IModelScorer scorer, ScoringSettings settings, MLNetInterop.ModelFormat format)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        Host = env.Register(GetType().Name);
        (_scorer, _format, Running) = (scorer, format, settings.Copy());
    }

    /// <summary>The model, owned by this transformer. With <see cref="Tokenizer"/> it can be saved as a Hugging Face folder.</summary>
    public TModel Model => Decoder.Model;

    /// <summary>The model's tokenizer.</summary>
    public PretrainedTokenizer Tokenizer => Decoder.Tokenizer;

    internal IHost Host { get; }

    /// <summary>How it runs.</summary>
    private protected ScoringSettings Running { get; }

    bool ITransformer.IsRowToRowMapper => true;

    int IModelRun.BatchSize => Running.BatchSize;

    int IModelRun.MaxTokensPerBatch => (Running as BatchScoringSettings)?.MaxTokensPerBatch ?? int.MaxValue;

    private DecoderScorer<TModel> Decoder => _scorer as DecoderScorer<TModel>
        ?? throw new InvalidOperationException($"This transformer scores with something else than a {typeof(TModel).Name}.");

    /// <summary>The input's columns and the added ones.</summary>
    /// <param name="inputSchema">A schema with the columns that are read.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column that is read is missing or of another type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Bind(inputSchema).OutputSchema;
    }

    /// <summary>Adds the columns; the model runs when their values are read.</summary>
    /// <param name="input">Data with the columns that are read.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column that is read is missing or of another type.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Bind(input.Schema).Over(input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(Bind(inputSchema));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        MLNetInterop.BeginSave(ctx, _format);
        MLNetInterop.SaveEntry(ctx, ModelSource.SettingsEntry, stream =>
        {
            using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
            WriteSettings(writer);
        });
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _scorer.Save((name, write) => MLNetInterop.SaveEntry(ctx, name, write));
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
            _scorer.Dispose();
        }
    }

    void IModelRun.CheckAlive() => CheckAlive();

    /// <summary>Throws when the run was cancelled, by the context or by the token of the settings.</summary>
    internal void CheckAlive()
    {
        Running.CancellationToken.ThrowIfCancellationRequested();
        MLNetInterop.CheckAlive(Host);
    }

    /// <summary>Runs the model, for whichever thread comes first.</summary>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    private protected T InTurn<T>(Func<T> run)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            CheckAlive();
            return run();
        }
    }

    /// <summary>Says in the log that something was cut.</summary>
    private protected void Warn(string stage, string message)
    {
        using IChannel channel = Host.Start(stage);
        channel.Warning(MessageSensitivity.Schema, message);
    }

    /// <summary>Writes what <c>Read</c> makes the transformer of again, beside the model.</summary>
    private protected abstract void WriteSettings(BinaryWriter writer);

    /// <summary>The added columns over a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column that is read is missing or of another type.</exception>
    private protected abstract RowMap Bind(DataViewSchema input);
}
