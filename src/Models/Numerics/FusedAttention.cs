using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// <c>softmax(Q Kᵀ / sqrt(head) + mask) V</c> by the fastest way for the element type, the lengths and the processor. All ways are equal up to rounding.
/// </summary>
/// <remarks>
/// libtorch's fused kernel is right for float32. In bfloat16 on a processor its gradient is many times slower than the rest of the layer: for 16 texts of 64
/// tokens, 9 heads of 64, forward and backward take 13 to 24 ms fused, 3 ms as separate products where the processor has fast bfloat16 instructions, and where it
/// has none 52 ms fused, 11 to 41 ms in float32 with rounding.
/// </remarks>
internal static class FusedAttention
{
    /// <summary>Up to so many keys the matrix of weights is formed where that is faster; beyond, its memory counts.</summary>
    private const int LongestComposed = 512;

    /// <summary>From so many queries on the fused kernel is faster in float32 than in bfloat16 where the processor's bfloat16 instructions are slow or missing: in 0.6 to 0.95 of the time for 512, in twice the time for 64.</summary>
    private const int ShortestWidened = 512;

    /// <summary>How many queries of a long causal text are computed at once: their scores stay in the cache of a core.</summary>
    private const int QueryBlock = 128;

    /// <summary>
    /// Up to so many queries the heads of a group are taken as the queries of one head, so that no key or value is copied for each of them, but the mask is: 1.5 to
    /// 4 times as fast for 2 to 16 queries, no faster from about 64 on.
    /// </summary>
    private const int MostGrouped = 32;

    /// <summary>Attends.</summary>
    /// <param name="queries"><c>[batch, heads, queries, head]</c>.</param>
    /// <param name="keys"><c>[batch, key-value heads, keys, head]</c>; head j of the queries uses head <c>j / (heads / key-value heads)</c>.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    /// <param name="additive">Added to the scores, <c>[batch or 1, heads or 1, queries, keys]</c>, or null.</param>
    /// <param name="isCausal">Whether query i sees only keys 0 to i.</param>
    /// <param name="dropout">The dropout of the weights.</param>
    /// <returns><c>[batch, heads, queries, head]</c>.</returns>
    public static Tensor Apply(Tensor queries, Tensor keys, Tensor values, Tensor? additive, bool isCausal, double dropout)
    {
        if (queries.dtype != ScalarType.BFloat16 || queries.device_type != DeviceType.CPU) return Fused(queries, keys, values, additive, isCausal, dropout);
        if (BFloat16Compute.IsNative(queries.device))
        {
            bool hasGradient = is_grad_enabled() && (queries.requires_grad || keys.requires_grad || values.requires_grad);
            if (isCausal && additive is null && !hasGradient && keys.shape[2] > QueryBlock) return Blocked(queries, keys, values);
            return keys.shape[2] <= LongestComposed
                ? Composed(queries, keys, values, additive, isCausal, dropout, out _)
                : Fused(queries, keys, values, additive, isCausal, dropout);
        }

        return Widens(queries, keys, values) || (additive is null && queries.shape[2] >= ShortestWidened)
            ? Widened(queries, keys, values, additive, isCausal, dropout)
            : Fused(queries, keys, values, additive, isCausal, dropout);
    }

    /// <summary>Whether attention is computed in float32 though its inputs are bfloat16: for gradients, which the fused kernel is slow at.</summary>
    public static bool Widens(Tensor queries, Tensor keys, Tensor values) =>
        queries.dtype == ScalarType.BFloat16 && !BFloat16Compute.IsNative(queries.device) && TensorRows.NeedsGradient(queries, keys, values);

    /// <summary>libtorch's own kernel.</summary>
    internal static Tensor Fused(Tensor queries, Tensor keys, Tensor values, Tensor? additive, bool isCausal, double dropout)
    {
        using var scope = NewDisposeScope();
        long[] shape = queries.shape;
        if (shape[2] <= MostGrouped && (shape[2] == 1 || !isCausal) && (additive is null || additive.shape[1] == 1))
        {
            long groupSize = shape[1] / keys.shape[1];
            Tensor grouped = queries.reshape(shape[0], keys.shape[1], -1, shape[3]);
            Tensor? mask = shape[2] == 1 ? additive : additive?.expand(-1, groupSize, -1, -1).reshape(additive.shape[0], 1, groupSize * shape[2], -1);
            return nn.functional.scaled_dot_product_attention(grouped, keys, values, mask!, dropout).reshape(shape).MoveToOuterDisposeScope();
        }

        return nn.functional.scaled_dot_product_attention(
            queries, Repeat(keys, shape[1]), Repeat(values, shape[1]), additive!, dropout, isCausal).MoveToOuterDisposeScope();
    }

    /// <summary>The fused kernel in float32, its result and its gradients rounded.</summary>
    internal static Tensor Widened(Tensor queries, Tensor keys, Tensor values, Tensor? additive, bool isCausal, double dropout)
    {
        using var scope = NewDisposeScope();
        return Fused(
            queries.to(ScalarType.Float32), keys.to(ScalarType.Float32), values.to(ScalarType.Float32), additive?.to(ScalarType.Float32), isCausal, dropout)
            .to(queries.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Two products and a softmax in single precision. The heads of a group are rows of one product, so no key or value is copied for them.</summary>
    /// <param name="queries"><c>[batch, heads, queries, head]</c>.</param>
    /// <param name="keys"><c>[batch, key-value heads, keys, head]</c>.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    /// <param name="additive">Added to the scores, or null.</param>
    /// <param name="isCausal">Whether query i sees only keys 0 to i.</param>
    /// <param name="dropout">The dropout of the weights.</param>
    /// <param name="weights">The weights after dropout, <c>[batch, heads, queries, keys]</c>.</param>
    internal static Tensor Composed(
        Tensor queries, Tensor keys, Tensor values, Tensor? additive, bool isCausal, double dropout, out Tensor weights)
    {
        using var scope = NewDisposeScope();
        long[] shape = queries.shape;
        (long batch, long heads, long length, long size) = (shape[0], shape[1], shape[2], shape[3]);
        (long groups, long count) = (keys.shape[1], keys.shape[2]);

        // [batch, groups, heads of a group · queries, head] times [batch, groups, head, keys]
        Tensor scores = queries.reshape(batch, groups, -1, size).matmul(keys.transpose(-2, -1)).mul_(1 / Math.Sqrt(size)).view(batch, heads, length, count);
        if (isCausal) scores = scores + full([length, count], finfo(scores.dtype).min, scores.dtype, scores.device).triu(1);
        if (additive is not null) scores = scores + additive;
        Tensor probabilities = scores.softmax(-1, scores.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32).to(queries.dtype);
        if (dropout > 0) probabilities = nn.functional.dropout(probabilities, dropout);
        weights = probabilities.MoveToOuterDisposeScope();
        return probabilities.view(batch, groups, -1, count).matmul(values).view(shape).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// As <see cref="Composed"/>, causal and without gradient: some queries after the other, each with the keys up to the last of them only, so that half of the
    /// products are never computed. In bfloat16 on a processor that has its instructions, 512 tokens take half the time of <see cref="Composed"/> and 1,024 half
    /// that of <see cref="Fused"/>.
    /// </summary>
    internal static Tensor Blocked(Tensor queries, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        long[] shape = queries.shape;
        (long batch, long heads, long length, long size, long groups) = (shape[0], shape[1], shape[2], shape[3], keys.shape[1]);
        Tensor result = empty([batch, length, heads, size], queries.dtype, queries.device).transpose(1, 2);
        Tensor later = full([QueryBlock, QueryBlock], finfo(queries.dtype).min, queries.dtype, queries.device).triu(1);
        for (long start = 0; start < length; start += QueryBlock)
        {
            using var blockScope = NewDisposeScope();
            long count = Math.Min(QueryBlock, length - start), seen = start + count;
            Tensor block = (queries.narrow(2, start, count) * (1 / Math.Sqrt(size))).reshape(batch, groups, -1, size);
            Tensor scores = block.matmul(keys.narrow(2, 0, seen).transpose(-2, -1)).view(batch, heads, count, seen);
            scores.narrow(3, start, count).add_(later.narrow(0, 0, count).narrow(1, 0, count));

            // The softmax computes in single precision inside and rounds once.
            Tensor weights = scores.softmax(-1).view(batch, groups, -1, seen);
            result.narrow(2, start, count).copy_(weights.matmul(values.narrow(2, 0, seen)).view(batch, heads, count, size));
        }

        return result.MoveToOuterDisposeScope();
    }

    private static Tensor Repeat(Tensor heads, long queryHeads)
    {
        long[] shape = heads.shape;
        if (shape[1] == queryHeads) return heads;
        return heads.unsqueeze(2).expand(shape[0], shape[1], queryHeads / shape[1], shape[2], shape[3]).reshape(shape[0], queryHeads, shape[2], shape[3]);
    }
}
