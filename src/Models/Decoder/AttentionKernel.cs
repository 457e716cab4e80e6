using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary><c>softmax(Q Kᵀ / sqrt(head) + mask) V</c>, where groups of query heads share a key-value head.</summary>
internal abstract class AttentionKernel
{
    /// <summary>Whether the kernel can hide later keys without a mask.</summary>
    public abstract bool HidesLaterKeys { get; }

    /// <summary>Whether the kernel can give its weights.</summary>
    public abstract bool GivesWeights { get; }

    public static AttentionKernel Create(AttentionImplementation implementation) => implementation switch
    {
        AttentionImplementation.ScaledDotProduct => new ScaledDotProductKernel(),
        AttentionImplementation.Eager => new EagerKernel(),
        _ => throw new ArgumentOutOfRangeException(nameof(implementation), implementation, "Not an attention implementation."),
    };

    /// <summary>Attends.</summary>
    /// <param name="queries"><c>[batch, heads, queries, head]</c>.</param>
    /// <param name="keys"><c>[batch, key-value heads, keys, head]</c>.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    /// <param name="mask">Which keys a query sees.</param>
    /// <param name="dropout">The dropout of the weights, 0 outside training.</param>
    /// <param name="weights">The weights after dropout, <c>[batch, heads, queries, keys]</c>, where the kernel gives them.</param>
    /// <returns><c>[batch, heads, queries, head]</c>.</returns>
    public abstract Tensor Attend(Tensor queries, Tensor keys, Tensor values, LayerMask mask, double dropout, out Tensor? weights);

    /// <summary>Gives every query head its own copy of the key-value head it uses: head j serves the queries of group j.</summary>
    protected static Tensor Repeat(Tensor heads, long queryHeads)
    {
        long[] shape = heads.shape;
        if (shape[1] == queryHeads) return heads;
        return heads.unsqueeze(2).expand(shape[0], shape[1], queryHeads / shape[1], shape[2], shape[3]).reshape(shape[0], queryHeads, shape[2], shape[3]);
    }
}

/// <summary>libtorch's fused attention.</summary>
internal sealed class ScaledDotProductKernel : AttentionKernel
{
    /// <inheritdoc/>
    public override bool HidesLaterKeys => true;

    /// <inheritdoc/>
    public override bool GivesWeights => false;

    /// <inheritdoc/>
    public override Tensor Attend(Tensor queries, Tensor keys, Tensor values, LayerMask mask, double dropout, out Tensor? weights)
    {
        weights = null;
        using var scope = NewDisposeScope();
        long[] shape = queries.shape;
        if (shape[2] == 1 && shape[1] != keys.shape[1])
        {
            // One query a head, and nothing hidden from one of a group only: the group's heads are the queries of one head, and no key is copied.
            Tensor grouped = queries.view(shape[0], keys.shape[1], -1, shape[3]);
            return nn.functional.scaled_dot_product_attention(grouped, keys, values, mask.Additive!, dropout).reshape(shape).MoveToOuterDisposeScope();
        }

        return nn.functional.scaled_dot_product_attention(
            queries, Repeat(keys, shape[1]), Repeat(values, shape[1]), mask.Additive!, dropout, mask.IsCausal).MoveToOuterDisposeScope();
    }
}

/// <summary>The equation as it stands; the softmax is in single precision.</summary>
internal sealed class EagerKernel : AttentionKernel
{
    /// <inheritdoc/>
    public override bool HidesLaterKeys => false;

    /// <inheritdoc/>
    public override bool GivesWeights => true;

    /// <inheritdoc/>
    public override Tensor Attend(Tensor queries, Tensor keys, Tensor values, LayerMask mask, double dropout, out Tensor? weights)
    {
        using var scope = NewDisposeScope();
        long[] shape = queries.shape;
        Tensor scores = queries.matmul(Repeat(keys, shape[1]).transpose(-2, -1)) * (1 / Math.Sqrt(shape[3]));
        if (mask.Additive is { } additive) scores = scores + additive;
        ScalarType precise = queries.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        Tensor probabilities = scores.softmax(-1, precise).to(queries.dtype);
        if (dropout > 0) probabilities = nn.functional.dropout(probabilities, dropout);
        weights = probabilities.MoveToOuterDisposeScope();
        return probabilities.matmul(Repeat(values, shape[1])).MoveToOuterDisposeScope();
    }
}
