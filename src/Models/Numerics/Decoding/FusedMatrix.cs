namespace MLComponents.Models;

/// <summary>A matrix where it lies in memory, with its bias.</summary>
/// <param name="Weights"><c>[outputs, inWidth]</c>.</param>
/// <param name="Bias"><c>[outputs]</c>, or 0.</param>
/// <param name="Outputs">The number of outputs.</param>
/// <param name="InWidth">The numbers of an input.</param>
internal readonly record struct FusedMatrix(nint Weights, nint Bias, int Outputs, int InWidth);

/// <summary>The weight and the bias of a norm where they lie in memory; the bias may be 0.</summary>
internal readonly record struct FusedNorm(nint Weight, nint Bias);

/// <summary>Where the heads of queries, keys or values lie in what the projections give.</summary>
/// <param name="First">The place of the first head.</param>
/// <param name="Stride">From one head to the next.</param>
internal readonly record struct HeadPlaces(int First, int Stride)
{
    public int Of(int head) => First + (head * Stride);
}
