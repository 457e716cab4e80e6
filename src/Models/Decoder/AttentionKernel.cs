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

    /// <summary>Attends within each text of several groups.</summary>
    /// <param name="queries"><c>[1, heads, tokens or texts, head]</c>: of every token of the groups, one group behind the other, or of one token of every text.</param>
    /// <param name="keys"><c>[1, key-value heads, tokens, head]</c>.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    /// <param name="groups">The groups, and which keys of its text a query sees.</param>
    /// <param name="dropout">The dropout of the weights, 0 outside training.</param>
    /// <returns><c>[1, tokens or texts, heads · head]</c>.</returns>
    public virtual Tensor AttendGroups(Tensor queries, Tensor keys, Tensor values, IReadOnlyList<AttentionGroup> groups, double dropout)
    {
        using var scope = NewDisposeScope();
        long[] tokens = [.. groups.Select(group => (long)group.Texts.Tokens)];

        // Parted at once: the gradient is put together at once then, too, not added up group after group.
        Tensor[] queriesOf = queries.split(queries.shape[2] == tokens.Sum() ? tokens : [.. groups.Select(group => (long)group.Texts.Count)], 2);
        Tensor[] keysOf = keys.split(tokens, 2), valuesOf = values.split(tokens, 2);
        var attended = new Tensor[groups.Count];
        for (int i = 0; i < attended.Length; i++)
        {
            int count = groups[i].Texts.Count;
            Tensor found = Attend(ByText(queriesOf[i], count), ByText(keysOf[i], count), ByText(valuesOf[i], count), groups[i].Mask, dropout, out Tensor? weights);
            weights?.Dispose();
            attended[i] = found.transpose(1, 2).reshape(1, queriesOf[i].shape[2], -1);
        }

        return cat(attended, 1).MoveToOuterDisposeScope();
    }

    /// <summary><c>[1, heads, texts · width, head] -> [texts, heads, width, head]</c>.</summary>
    private static Tensor ByText(Tensor heads, int texts) => heads.view(heads.shape[1], texts, -1, heads.shape[3]).transpose(0, 1);
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

    /// <inheritdoc/>
    public override Tensor AttendGroups(Tensor queries, Tensor keys, Tensor values, IReadOnlyList<AttentionGroup> groups, double dropout)
    {
        if (!FusedAttention.Widens(queries, keys, values)) return base.AttendGroups(queries, keys, values, groups, dropout);
        using var scope = NewDisposeScope();
        AttentionGroup[] wide = [.. groups.Select(group => group with { Mask = group.Mask with { Additive = group.Mask.Additive?.to(ScalarType.Float32) } })];
        return base.AttendGroups(queries.to(ScalarType.Float32), keys.to(ScalarType.Float32), values.to(ScalarType.Float32), wide, dropout).to(queries.dtype).MoveToOuterDisposeScope();
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
