using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>What prompts begin with alike; the model reads it once, when the first of them is read. For one thread at a time.</summary>
/// <param name="model">The model.</param>
/// <param name="ids">The tokens; few or none where there is nothing to share.</param>
internal sealed class SharedPrompt(CausalLanguageModel model, int[] ids) : IDisposable
{
    /// <summary>Fewer tokens are read again as fast as they are copied.</summary>
    private const int LeastTokens = 16;

    private PromptCache? _cache;

    /// <summary>What was read, or null where there is nothing to share.</summary>
    public PromptCache? Cache => ids.Length < LeastTokens ? null : _cache ??= PromptCache.Create(model, ids);

    /// <summary>Lets the model read a prompt.</summary>
    /// <param name="prompt">Its tokens, at least one.</param>
    /// <param name="logits">Takes the logits of what follows: <c>[vocabulary]</c>.</param>
    /// <returns>A batch of one row, which the caller disposes.</returns>
    public IDecodingBatch Read(ReadOnlySpan<int> prompt, Span<float> logits)
    {
        int shared = Cache is null ? 0 : Math.Min(prompt.CommonPrefixLength(ids), prompt.Length - 1);
        IDecodingBatch batch = shared == 0 ? model.Decoding.NewBatch(1, canForget: false) : Cache!.Begin(model, 0, shared);
        try
        {
            batch.Read(prompt[shared..], [prompt.Length - shared], 1, logits);
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    public void Dispose() => _cache?.Dispose();
}
