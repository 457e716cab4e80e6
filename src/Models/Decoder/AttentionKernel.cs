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
}

/// <summary>Whatever is fastest.</summary>
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
        return FusedAttention.Apply(queries, keys, values, mask.Additive, mask.IsCausal, dropout);
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
        Tensor attended = FusedAttention.Composed(queries, keys, values, mask.Additive, mask.IsCausal, dropout, out Tensor given);
        weights = given;
        return attended;
    }
}
