using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>The exponential function in single precision.</summary>
/// <typeparam name="TLanes">The width of vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
internal static class Exponential<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Below, the nearest float32 is 0; above, there is none.
    private const float Lowest = -104, Highest = 89;

    private const float InverseOfLog2 = 1.44269504088896341f;
    private const float UpperPartOfLog2 = 0.693359375f;
    private const float LowerPartOfLog2 = -2.12194440e-4f;

    /// <summary>
    /// e^x, within two units in the last place: 2^n times a polynomial of what is left of x, n being whole (S. L. Moshier, Cephes Mathematical Library,
    /// <c>expf</c>).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of(TVector x)
    {
        x = TLanes.Min(TLanes.Broadcast(Highest), TLanes.Max(TLanes.Broadcast(Lowest), x));
        TVector n = TLanes.Round(TLanes.Multiply(x, TLanes.Broadcast(InverseOfLog2)));
        TVector rest = TLanes.MultiplyAdd(n, TLanes.Broadcast(-LowerPartOfLog2), TLanes.MultiplyAdd(n, TLanes.Broadcast(-UpperPartOfLog2), x));
        TVector sum = TLanes.MultiplyAdd(TLanes.Broadcast(1.9875691500e-4f), rest, TLanes.Broadcast(1.3981999507e-3f));
        sum = TLanes.MultiplyAdd(sum, rest, TLanes.Broadcast(8.3334519073e-3f));
        sum = TLanes.MultiplyAdd(sum, rest, TLanes.Broadcast(4.1665795894e-2f));
        sum = TLanes.MultiplyAdd(sum, rest, TLanes.Broadcast(1.6666665459e-1f));
        sum = TLanes.MultiplyAdd(sum, rest, TLanes.Broadcast(5.0000001201e-1f));
        sum = TLanes.Add(TLanes.MultiplyAdd(sum, TLanes.Multiply(rest, rest), rest), TLanes.Broadcast(1));
        return TLanes.Scale(sum, n);
    }
}
