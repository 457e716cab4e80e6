using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>Weights turned by way of <see cref="IWeights.LoadPair"/>: those that cannot be turned as they are stored, and the last outputs of a matrix.</summary>
internal static unsafe class WeightColumns<TLanes, TVector, TWeights>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
    where TWeights : struct, IWeights
{
    /// <summary>As <see cref="IWeights.LoadColumns"/>, also where not all outputs are there: zeros stand for the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* rows, nint inWidth, nint index, nint present, float* first, float* second, nint stride, float* spare)
    {
        float* other = spare + (TLanes.Count * TLanes.Count);
        nint bytes = TWeights.BytesOf(inWidth);
        for (nint row = 0; row < TLanes.Count; row++)
        {
            TVector a = default, b = default;
            if (row < present) TWeights.LoadPair<TLanes, TVector>(rows + (row * bytes), index, out a, out b);
            TLanes.Store(a, spare + (row * TLanes.Count));
            TLanes.Store(b, other + (row * TLanes.Count));
        }

        TLanes.Transpose((byte*)spare, TLanes.Count * sizeof(float), first, stride);
        TLanes.Transpose((byte*)other, TLanes.Count * sizeof(float), second, stride);
    }
}
