using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The masks of one forward pass: one for full layers and one for sliding ones, each made once, or not at all where it hides nothing.</summary>
internal readonly record struct AttentionMasks(LayerMask Full, LayerMask Sliding)
{
    /// <summary>Builds the masks in the current dispose scope.</summary>
    /// <param name="config">Causality and the window.</param>
    /// <param name="batch">The number of rows.</param>
    /// <param name="past">The keys that a cache holds.</param>
    /// <param name="length">The number of queries.</param>
    /// <param name="attentionMask">Null; <c>[batch, past + length]</c> with 0 at padding; or <c>[batch or 1, heads or 1, length, past + length]</c>, Boolean or additive, used as it is.</param>
    /// <param name="positionIds"><c>[batch, length]</c>: without mask and cache, each step other than +1 starts a new text in the row. Null if there are none.</param>
    /// <param name="hasCache">Whether there is a cache.</param>
    /// <param name="allowImplicit">Whether the kernel can hide later keys without a mask.</param>
    /// <param name="dtype">The element type of the scores.</param>
    /// <param name="device">Where the scores are.</param>
    /// <exception cref="ArgumentException">The mask has another shape.</exception>
    public static AttentionMasks Build(
        DecoderConfig config, long batch, int past, int length, Tensor? attentionMask, Tensor? positionIds, bool hasCache, bool allowImplicit, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        int keys = past + length;
        if (attentionMask is { ndim: 4 })
        {
            var given = new LayerMask(Given(attentionMask, batch, length, keys, dtype).MoveToOuterDisposeScope(), false);
            return new AttentionMasks(given, given);
        }

        Tensor? padding = attentionMask is null ? null : Padding(attentionMask, batch, keys);
        if (padding is not null && allowImplicit && padding.all().item<bool>()) padding = null;
        Tensor? segments = attentionMask is null && !hasCache && positionIds is not null ? Segments(positionIds) : null;
        LayerMask full = Layer(window: null);
        LayerMask sliding = config.SlidingWindow is { } window && window < keys ? Layer(window) : full;
        return new AttentionMasks(full, sliding);

        LayerMask Layer(int? window)
        {
            if (allowImplicit && padding is null && segments is null && window is null && (!config.IsCausal || length == 1 || past == 0))
                return new LayerMask(null, config.IsCausal && length > 1);
            Tensor key = arange(keys, ScalarType.Int64, device).unsqueeze(0);
            Tensor query = arange(past, keys, ScalarType.Int64, device).unsqueeze(1);

            // [queries, keys], then [batch, 1, queries, keys] where rows differ.
            Tensor visible = config.IsCausal ? key <= query : ones([length, keys], ScalarType.Bool, device);
            if (window is { } width) visible = visible & (key > query - width);
            visible = visible.unsqueeze(0).unsqueeze(0);
            if (padding is not null) visible = visible & padding.unsqueeze(1).unsqueeze(1);
            if (segments is not null) visible = visible & (segments.unsqueeze(1).unsqueeze(3) == segments.unsqueeze(1).unsqueeze(2));
            return new LayerMask(Additive(visible, dtype).MoveToOuterDisposeScope(), false);
        }
    }

    /// <summary>The mask of queries that each see the keys up to a position of their own: <c>[batch, 1, 1, keys]</c>.</summary>
    /// <param name="lastPositions"><c>[batch]</c>.</param>
    /// <param name="keys">The number of keys.</param>
    /// <param name="window">The window of a sliding layer, or null.</param>
    /// <param name="dtype">The element type of the scores.</param>
    public static LayerMask UpTo(Tensor lastPositions, long keys, int? window, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Tensor key = arange(keys, ScalarType.Int64, lastPositions.device).unsqueeze(0);
        Tensor last = lastPositions.unsqueeze(1);
        Tensor visible = key <= last;
        if (window is { } width) visible = visible & (key > last - width);
        return new LayerMask(Additive(visible.unsqueeze(1).unsqueeze(1), dtype).MoveToOuterDisposeScope(), false);
    }

    private static Tensor Padding(Tensor mask, long batch, int keys)
    {
        if (mask.ndim != 2 || mask.shape[0] != batch || mask.shape[1] != keys)
        {
            throw new ArgumentException(
                $"The attention mask has shape [{string.Join(", ", mask.shape)}]; expected [{batch}, {keys}] (rows, cached tokens and new ones), "
                + "or a mask of four dimensions.", nameof(mask));
        }

        return mask != 0;
    }

    private static Tensor Given(Tensor mask, long batch, int length, int keys, ScalarType dtype)
    {
        if ((mask.shape[0] != batch && mask.shape[0] != 1) || mask.shape[2] != length || mask.shape[3] != keys)
        {
            throw new ArgumentException(
                $"The attention mask has shape [{string.Join(", ", mask.shape)}]; expected [{batch}, 1, {length}, {keys}] (rows, heads, queries, keys).", nameof(mask));
        }

        return mask.dtype == ScalarType.Bool ? Additive(mask, dtype) : mask.to(dtype);
    }

    /// <summary>The number of the text in its row that a token belongs to, <c>[batch, seq]</c>, or null if every row is one text.</summary>
    private static Tensor? Segments(Tensor positionIds)
    {
        Tensor steps = positionIds.diff(prepend: positionIds.narrow(1, 0, 1) - 1) != 1;
        return steps.any().item<bool>() ? steps.cumsum(1) : null;
    }

    /// <summary>
    /// The least finite number rather than minus infinity: a padding row that sees nothing then gets some finite average, which nobody reads,
    /// instead of NaN, which gradients would carry into the weights.
    /// </summary>
    private static Tensor Additive(Tensor visible, ScalarType dtype) =>
        zeros(visible.shape, dtype, visible.device).masked_fill_(visible.logical_not(), finfo(dtype).min);
}
