using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>float32.</summary>
internal readonly unsafe struct Float32Numbers : IWeights, INumbers
{
    /// <inheritdoc/>
    public static int Size => sizeof(float);

    /// <inheritdoc/>
    public static bool SeparatesPlaces => false;

    /// <inheritdoc/>
    public static nint BytesOf(nint inWidth) => inWidth * sizeof(float);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<TLanes, TVector>(byte* row, nint index, out TVector first, out TVector second)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        first = TLanes.Load((float*)row + index);
        second = TLanes.Load((float*)row + index + TLanes.Count);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadColumns<TLanes, TVector>(byte* rows, nint inWidth, nint index, float* first, float* second, nint stride, float* spare)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TLanes.Transpose(rows + (index * sizeof(float)), BytesOf(inWidth), first, stride);
        TLanes.Transpose(rows + ((index + TLanes.Count) * sizeof(float)), BytesOf(inWidth), second, stride);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float At(byte* row, nint index) => ((float*)row)[index];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TLanes, TVector>(void* source, nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Load((float*)source + index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(void* source, nint index) => ((float*)source)[index];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(void* target, nint index, float value) => ((float*)target)[index] = value;
}
