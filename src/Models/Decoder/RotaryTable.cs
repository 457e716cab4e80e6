using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The cosines and sines of one forward pass, and the turn they make.</summary>
/// <param name="Cosines"><c>[seq, rotated]</c> or <c>[batch, 1, seq, rotated]</c>.</param>
/// <param name="SignedSines">As <paramref name="Cosines"/>, the first half negated.</param>
/// <param name="RotatedSize">The leading elements of a head that turn; the rest pass.</param>
internal readonly record struct RotaryTable(Tensor Cosines, Tensor SignedSines, int RotatedSize)
{
    /// <summary>
    /// Turns queries or keys: <c>(x₁, x₂) -> (x₁ cos - x₂ sin, x₂ cos + x₁ sin)</c> for the halves of the rotated part.
    /// With the sign in the sines, swapping the halves is one operation.
    /// </summary>
    /// <param name="heads"><c>[batch, heads, seq, head]</c>.</param>
    public Tensor Rotate(Tensor heads)
    {
        if (TensorRows.Serves(heads) && heads.dtype == Cosines.dtype) return FusedRotation.Apply(heads, this);
        using var scope = NewDisposeScope();
        long size = heads.shape[^1];
        if (size == RotatedSize) return Turn(heads).MoveToOuterDisposeScope();
        Tensor turned = Turn(heads.narrow(-1, 0, RotatedSize));
        return cat([turned, heads.narrow(-1, RotatedSize, size - RotatedSize)], -1).MoveToOuterDisposeScope();
    }

    /// <summary>The same turns in another element type: computed in single precision, rounded once.</summary>
    public RotaryTable As(ScalarType dtype) => this with { Cosines = Cosines.to(dtype), SignedSines = SignedSines.to(dtype) };

    private Tensor Turn(Tensor heads) => (heads * Cosines) + (heads.roll(RotatedSize / 2, -1) * SignedSines);
}
