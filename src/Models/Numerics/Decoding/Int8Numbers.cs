using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>
/// Signed bytes with a scale for every <see cref="Group"/> of an output's numbers: a weight is its byte times the scale, which is the largest weight of the group
/// over 127. The scale, a float32, lies before its bytes.
/// </summary>
internal readonly unsafe struct Int8Numbers : IWeights
{
    /// <summary>How many numbers share a scale.</summary>
    public const int Group = 32;

    private const int GroupBytes = sizeof(float) + Group;

    /// <inheritdoc/>
    public static bool SeparatesPlaces => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint BytesOf(nint inWidth) => (inWidth + Group - 1) / Group * GroupBytes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<TLanes, TVector>(byte* row, nint index, out TVector first, out TVector second)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        byte* group = row + ((nint)((nuint)index / Group) * GroupBytes);
        TVector scale = TLanes.Broadcast(*(float*)group);
        sbyte* bytes = (sbyte*)(group + sizeof(float) + ((nuint)index % Group));
        first = TLanes.Multiply(TLanes.Widen(bytes), scale);
        second = TLanes.Multiply(TLanes.Widen(bytes + TLanes.Count), scale);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadColumns<TLanes, TVector>(byte* rows, nint inWidth, nint index, float* first, float* second, nint stride, float* spare)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct =>
        WeightColumns<TLanes, TVector, Int8Numbers>.Load(rows, inWidth, index, TLanes.Count, first, second, stride, spare);

    /// <inheritdoc/>
    public static float At(byte* row, nint index)
    {
        byte* group = row + (index / Group * GroupBytes);
        return *(float*)group * ((sbyte*)group)[sizeof(float) + (index % Group)];
    }

    /// <summary>Stores an output's numbers.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="row">Where to; <see cref="BytesOf"/> says how many bytes.</param>
    public static void Store(ReadOnlySpan<float> values, byte* row)
    {
        for (int start = 0; start < values.Length; start += Group, row += GroupBytes)
        {
            ReadOnlySpan<float> group = values[start..Math.Min(start + Group, values.Length)];
            float largest = 0;
            foreach (float value in group) largest = Math.Max(largest, Math.Abs(value));

            // Math.Max keeps what is not a number, and a scale that is not finite makes all of the group so: nothing of it is hidden.
            float scale = largest / sbyte.MaxValue;
            *(float*)row = scale;
            var bytes = new Span<sbyte>(row + sizeof(float), Group);
            bytes.Clear();
            for (int i = 0; i < group.Length; i++)
                bytes[i] = scale == 0 ? (sbyte)0 : float.IsFinite(scale) ? (sbyte)MathF.Round(group[i] / scale) : (sbyte)1;
        }
    }
}
