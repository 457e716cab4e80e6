namespace MLComponents.Models;

/// <summary>
/// What a model keeps of texts that it has read: the beginning of a conversation to go on with, or an instruction that many prompts begin with. It does not change;
/// any number of calls may use it, at the same time, too.
/// </summary>
public sealed class PromptCache : IDisposable
{
    private readonly CausalLanguageModel _model;
    private readonly IDecodingBatch _batch;
    private readonly Lock _lock = new();
    private bool _disposed;

    internal PromptCache(CausalLanguageModel model, IDecodingBatch batch) => (_model, _batch) = (model, batch);

    /// <summary>The number of texts.</summary>
    public int Count
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _batch.RowCount;
        }
    }

    /// <summary>Lets a model read the beginning of prompts.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ids">The tokens, at least one.</param>
    public static PromptCache Create(CausalLanguageModel model, IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(ids);
        if (ids.Count == 0) throw new ArgumentException("There are no tokens; expected at least one.", nameof(ids));
        IDecodingBatch batch = model.Decoding.NewBatch(1, canForget: true);
        try
        {
            batch.Read([.. ids], [ids.Count], 0, []);
            return new PromptCache(model, batch);
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    /// <summary>The tokens of a text.</summary>
    /// <param name="index">Which text.</param>
    public IReadOnlyList<int> IdsOf(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _batch.TokensOf(index).ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            _batch.Dispose();
        }
    }

    /// <summary>A batch of one row that has read the same as a text, all or the first of its tokens.</summary>
    internal IDecodingBatch Begin(CausalLanguageModel model, int index, int length)
    {
        if (model != _model) throw new ArgumentException("The cache was made by another model.", nameof(model));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            IDecodingBatch clone = _batch.Clone();
            clone.Select([index]);
            clone.Forget(clone.TokensOf(0).Length - length);
            return clone;
        }
    }
}
