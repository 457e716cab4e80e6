using TorchSharp;

namespace MLComponents.Models;

/// <summary>What a decoder is given; what is null is left to its default.</summary>
public sealed record DecoderInput
{
    /// <summary>Token ids, <c>[batch, seq]</c>, Int64 or Int32. Exactly one of this and <see cref="InputsEmbeds"/> is given.</summary>
    public torch.Tensor? InputIds { get; init; }

    /// <summary>Embeddings in place of ids, <c>[batch, seq, hidden]</c>.</summary>
    public torch.Tensor? InputsEmbeds { get; init; }

    /// <summary>
    /// Null: nothing is hidden. <c>[batch, cached + seq]</c>: 0 at padding, else 1.
    /// <c>[batch or 1, heads or 1, seq, cached + seq]</c>: which query sees which key, true or false, or numbers added to the scores; then causality and windows
    /// are the caller's. The columns are all tokens that the cache has seen, whether its sliding layers still hold them or not.
    /// </summary>
    public torch.Tensor? AttentionMask { get; init; }

    /// <summary>
    /// Positions, <c>[batch or 1, seq]</c>; by default those that follow the cached tokens, whatever the mask says.
    /// Without mask and cache, a step other than +1 starts a new text, which does not see the one before it.
    /// </summary>
    public torch.Tensor? PositionIds { get; init; }

    /// <summary>Keys and values of earlier tokens; those of this call are added. Gradients stop at the earlier ones.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>Whether to give the hidden states between the layers.</summary>
    public bool OutputHiddenStates { get; init; }

    /// <summary>Whether to give the attention weights; only <see cref="AttentionImplementation.Eager"/> has them.</summary>
    public bool OutputAttentions { get; init; }
}
