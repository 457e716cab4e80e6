using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>bfloat16, the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16Numbers : IWeights, INumbers
{
    /// <inheritdoc/>
    public static int Size => sizeof(ushort);

    /// <inheritdoc/>
    public static bool SeparatesPlaces => true;

    /// <inheritdoc/>
    public static nint BytesOf(nint inWidth) => inWidth * sizeof(ushort);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<TLanes, TVector>(byte* row, nint index, out TVector first, out TVector second)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.WidenPairs((ushort*)row + index, out first, out second);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadColumns<TLanes, TVector>(byte* rows, nint inWidth, nint index, float* first, float* second, nint stride, float* spare)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.TransposePairs(rows + (index * sizeof(ushort)), BytesOf(inWidth), first, second, stride);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float At(byte* row, nint index) => Read(row, index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TLanes, TVector>(void* source, nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Widen((ushort*)source + index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(void* source, nint index) => BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[index] << 16);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(void* target, nint index, float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);

        // To the nearest, ties to even; a not-a-number keeps a set bit in the half that is kept.
        uint rounded = float.IsNaN(value) ? bits | 0x00400000u : bits + 0x7FFFu + ((bits >> 16) & 1u);
        ((ushort*)target)[index] = (ushort)(rounded >> 16);
    }
}
