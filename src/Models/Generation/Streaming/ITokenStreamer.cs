namespace MLComponents.Models;

/// <summary>Takes tokens as they are generated.</summary>
public interface ITokenStreamer
{
    /// <summary>Takes tokens: first those of the prompt, then new ones.</summary>
    /// <param name="ids">The tokens, one or more.</param>
    void Put(ReadOnlySpan<int> ids);

    /// <summary>There are no more.</summary>
    void End();
}
