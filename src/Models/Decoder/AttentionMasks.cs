using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The masks of one forward pass: one for full layers and one for sliding ones, each made once, or not at all where it hides nothing.</summary>
internal readonly record struct AttentionMasks(LayerMask Full, LayerMask Sliding)
{
    /// <summary>Builds the masks in the current dispose scope.</summary>
    /// <param name="config">Causality, the window and the layers that slide.</param>
    /// <param name="cache">What holds the keys of earlier tokens, or null.</param>
    /// <param name="batch">The number of rows.</param>
    /// <param name="length">The number of queries.</param>
    /// <param name="attentionMask">
    /// Null; <c>[batch, past + length]</c> with 0 at padding; or <c>[batch or 1, heads or 1, length, past + length]</c>, Boolean or additive, used as it is. The
    /// columns are all tokens that the cache has seen and the new ones, whether a layer still holds them or not.
    /// </param>
    /// <param name="positionIds"><c>[batch, length]</c>: without mask and cache, each step other than +1 starts a new text in the row. Null if there are none.</param>
    /// <param name="allowImplicit">Whether the kernel can hide later keys without a mask.</param>
    /// <param name="dtype">The element type of the scores.</param>
    /// <param name="device">Where the scores are.</param>
    /// <exception cref="ArgumentException">The mask has another shape or element type, or shows a layer what it no longer holds.</exception>
    public static AttentionMasks Build(
        DecoderConfig config, KeyValueCache? cache, long batch, int length, Tensor? attentionMask, Tensor? positionIds, bool allowImplicit, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        int past = cache?.Length ?? 0;
        int columns = past + length;
        int slidingLayer = -1;
        bool someAreFull = false;
        for (int layer = 0; layer < config.LayerCount; layer++)
        {
            if (config.WindowOf(layer) is null) someAreFull = true;
            else slidingLayer = layer;
        }

        // The keys that a sliding layer attends to: the last columns.
        int slidingKeys = (slidingLayer < 0 ? past : cache?.Held(slidingLayer) ?? 0) + length;
        if (attentionMask is { ndim: 4 })
        {
            Tensor given = Given(attentionMask, config, batch, length, columns, dtype, device);
            Tensor last = slidingKeys == columns ? given.alias() : Last(given, slidingKeys);
            return new AttentionMasks(new LayerMask(given.MoveToOuterDisposeScope(), false), new LayerMask(last.MoveToOuterDisposeScope(), false));
        }

        Tensor? visible = attentionMask is null ? null : Padding(attentionMask, batch, columns, device);

        Tensor? segments = attentionMask is null && cache is null && positionIds is not null ? Segments(positionIds) : null;
        LayerMask full = someAreFull ? Layer(columns, window: null) : default;
        LayerMask sliding = slidingLayer < 0 ? full
            : config.SlidingWindow is { } window && window < slidingKeys ? Layer(slidingKeys, window)
            : someAreFull && slidingKeys == columns ? full
            : Layer(slidingKeys, window: null);
        return new AttentionMasks(full, sliding);

        LayerMask Layer(int keys, int? window)
        {
            Tensor? padding = visible?.narrow(1, columns - keys, keys);
            if (padding is not null && padding.all().item<bool>()) padding = null;
            if (padding is null && segments is null && window is null)
            {
                if (!config.IsCausal || length == 1) return new LayerMask(null, false);
                if (allowImplicit && keys == length) return new LayerMask(null, true);
            }

            Tensor key = arange(columns - keys, columns, ScalarType.Int64, device).unsqueeze(0);
            Tensor query = arange(past, columns, ScalarType.Int64, device).unsqueeze(1);

            // [queries, keys], then [batch, 1, queries, keys] where rows differ. A window that looks both ways reaches one token further, as in the reference.
            Tensor seen = config.IsCausal ? key <= query : ones([length, keys], ScalarType.Bool, device);
            if (window is { } width) seen = seen & (config.IsCausal ? key > query - width : (key - query).abs() <= width);
            seen = seen.unsqueeze(0).unsqueeze(0);
            if (padding is not null) seen = seen & padding.unsqueeze(1).unsqueeze(1);
            if (segments is not null) seen = seen & (segments.unsqueeze(1).unsqueeze(3) == segments.unsqueeze(1).unsqueeze(2));
            return new LayerMask(Additive(seen, dtype).MoveToOuterDisposeScope(), false);
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

    private static Tensor Padding(Tensor mask, long batch, int columns, Device device)
    {
        if (mask.ndim != 2 || mask.shape[0] != batch || mask.shape[1] != columns)
        {
            throw new ArgumentException(
                $"The attention mask has shape [{string.Join(", ", mask.shape)}]; expected [{batch}, {columns}] (rows, cached tokens and new ones), "
                + "or a mask of four dimensions.", nameof(mask));
        }

        return mask.to(device) != 0;
    }

    private static Tensor Given(Tensor mask, DecoderConfig config, long batch, int length, int columns, ScalarType dtype, Device device)
    {
        long[] shape = mask.shape;
        if ((shape[0] != batch && shape[0] != 1) || (shape[1] != config.HeadCount && shape[1] != 1) || shape[2] != length || shape[3] != columns)
        {
            throw new ArgumentException(
                $"The attention mask has shape [{string.Join(", ", shape)}]; expected [{batch} or 1, {config.HeadCount} or 1, {length}, {columns}] "
                + "(rows, heads, queries, cached keys and new ones).", nameof(mask));
        }

        if (mask.dtype != ScalarType.Bool && !mask.is_floating_point())
        {
            throw new ArgumentException(
                $"The attention mask of four dimensions has type {mask.dtype}; expected Bool, true where a query sees a key, or numbers that are added to the scores.", nameof(mask));
        }

        // Minus infinity, and what another element type rounds to it, would make a row that sees nothing NaN.
        return mask.dtype == ScalarType.Bool ? Additive(mask.to(device), dtype) : mask.to(dtype, device).clamp(min: finfo(dtype).min);
    }

    /// <summary>The columns of the keys that a sliding layer still holds.</summary>
    private static Tensor Last(Tensor mask, int keys)
    {
        long dropped = mask.shape[3] - keys;
        if ((mask.narrow(3, 0, dropped) > finfo(mask.dtype).min / 2).any().item<bool>())
        {
            throw new ArgumentException(
                $"The attention mask lets queries see some of the first {dropped} tokens, which the cache's sliding layers no longer hold. "
                + "Hide them, or use a DynamicCache that was made without a configuration.", nameof(mask));
        }

        return mask.narrow(3, dropped, keys);
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
