using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLComponents.Models;

/// <summary>
/// 256 numbers from -1 or 0 to 1 whose codes are a byte: seven decades, with twice as many numbers in each as in the one below it (Dettmers et al. 2022, section
/// 1.3; bitsandbytes' <c>create_dynamic_map</c>). Large numbers keep two digits, and small ones are not lost.
/// </summary>
internal sealed unsafe class DynamicMap
{
    private const int Decades = 7;
    private const int MantissaBits = 8; // of a cell of the table: finer than the numbers lie
    private const int CellShift = 23 - MantissaBits;
    private const int SmallestExponent = 127 - 23; // of the cells; what is smaller rounds to zero
    private const int Cells = ((127 - SmallestExponent) << MantissaBits) + 1; // the last holds 1

    private readonly float[] _values;
    private readonly float[] _boundaries; // between a number and the next
    private readonly int[] _codes; // of the smallest number of each cell; the negative cells behind the others

    private DynamicMap(bool isSigned)
    {
        List<float> values = [0, 1];
        for (int decade = 0; decade < Decades; decade++)
        {
            int count = 1 << (isSigned ? decade : decade + 1);
            double scale = Math.Pow(10, decade - (Decades - 1));
            for (int i = 0; i < count; i++)
            {
                // The middle of the i-th of as many equal parts of 0.1 to 1.
                float value = (float)(scale * (0.1 + (0.9 * (i + 0.5) / count)));
                values.Add(value);
                if (isSigned) values.Add(-value);
            }
        }

        values.Sort();
        _values = [.. values];
        _boundaries = [.. _values.Zip(_values.Skip(1), (low, high) => (low + high) / 2), float.PositiveInfinity];
        _codes = new int[2 * Cells];
        for (int cell = 0; cell < Cells; cell++)
        {
            float near = cell == 0 ? 0 : Edge(cell);
            _codes[cell] = Nearest(near);
            _codes[Cells + cell] = Nearest(-Edge(cell + 1));
        }

        static float Edge(int cell) => BitConverter.UInt32BitsToSingle((uint)(cell + (SmallestExponent << MantissaBits)) << CellShift);
    }

    /// <summary>From -1 to 1, for means of gradients.</summary>
    public static DynamicMap Signed { get; } = new(isSigned: true);

    /// <summary>From 0 to 1, for means of squares.</summary>
    public static DynamicMap Unsigned { get; } = new(isSigned: false);

    /// <summary>The numbers by code, in ascending order.</summary>
    public IReadOnlyList<float> Values => _values;

    /// <summary>Codes to numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Unpack(byte* codes, float scale, float* values, int count)
    {
        if (scale == 0)
        {
            new Span<float>(values, count).Clear(); // a fresh state is all zeros, its codes included
            return;
        }

        fixed (float* map = _values)
        {
            int i = 0;
            if (Avx2.IsSupported)
            {
                for (; i <= count - FloatLanes.Count; i += FloatLanes.Count)
                    (Avx2.GatherVector256(map, Avx2.ConvertToVector256Int32(codes + i), sizeof(float)) * scale).Store(values + i);
            }

            for (; i < count; i++) values[i] = map[codes[i]] * scale;
        }
    }

    /// <summary>Numbers to the nearest codes.</summary>
    /// <returns>The largest magnitude, which is the scale. Not a number if one of them is not, or is infinite.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public float Pack(float* values, byte* codes, int count)
    {
        float largest = Largest(values, count);
        if (largest == 0 || !float.IsFinite(largest))
        {
            new Span<byte>(codes, count).Fill(Nearest(1)); // any number but zero, so that what is not a number comes out again
            return largest == 0 ? 0 : float.NaN;
        }

        fixed (float* boundaries = _boundaries)
        fixed (int* table = _codes)
        {
            int i = 0;
            if (Avx2.IsSupported)
            {
                for (; i <= count - FloatLanes.Count; i += FloatLanes.Count)
                {
                    Vector256<float> value = Vector256.Load(values + i) / Vector256.Create(largest);
                    Vector256<int> bits = value.AsInt32(), size = (bits & Vector256.Create(int.MaxValue)) >> CellShift;
                    Vector256<int> cell = Vector256.Min(Vector256.Max(size - Vector256.Create(SmallestExponent << MantissaBits), default), Vector256.Create(Cells - 1));
                    cell += (bits >> 31) & Vector256.Create(Cells);
                    Vector256<int> code = Avx2.GatherVector256(table, cell, sizeof(int));
                    code -= Vector256.GreaterThan(value, Avx2.GatherVector256(boundaries, code, sizeof(float))).AsInt32();
                    Vector128<short> narrow = Vector128.Narrow(code.GetLower(), code.GetUpper());
                    Vector128.Narrow(narrow.AsUInt16(), narrow.AsUInt16()).GetLower().Store(codes + i);
                }
            }

            for (; i < count; i++)
            {
                float value = values[i] / largest;
                int bits = BitConverter.SingleToInt32Bits(value);
                int cell = Math.Clamp(((bits & int.MaxValue) >> CellShift) - (SmallestExponent << MantissaBits), 0, Cells - 1) + ((bits >> 31) & Cells);
                codes[i] = (byte)(table[cell] + (value > boundaries[table[cell]] ? 1 : 0));
            }
        }

        return largest;
    }

    private static float Largest(float* values, int count)
    {
        Vector256<float> lanes = default;
        int i = 0;
        for (; i <= count - FloatLanes.Count; i += FloatLanes.Count) lanes = Vector256.Max(lanes, Vector256.Abs(Vector256.Load(values + i)));
        float largest = 0;
        for (int lane = 0; lane < FloatLanes.Count; lane++) largest = Math.Max(largest, lanes[lane]); // not a number wins
        for (; i < count; i++) largest = Math.Max(largest, Math.Abs(values[i]));
        return largest;
    }

    private byte Nearest(float value)
    {
        int code = 0;
        while (value > _boundaries[code]) code++;
        return (byte)code;
    }
}
