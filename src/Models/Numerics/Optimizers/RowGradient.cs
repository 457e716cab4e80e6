using System.Buffers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// The gradient of a matrix of which a pass reads few rows: these rows alone, in the matrix's type. Neither is a matrix of zeros made for each pass nor are rows read that
/// have no gradient.
/// </summary>
/// <param name="weight">The matrix, <c>[rows, width]</c>, Float32 or BFloat16 in CPU memory.</param>
internal sealed unsafe class RowGradient(Parameter weight)
{
    private readonly Dictionary<long, int> _places = [];
    private readonly int _width = (int)weight.shape[1], _elementSize = (int)weight.ElementSize;
    private byte[] _rows = [];

    /// <summary>The matrix.</summary>
    public Parameter Weight => weight;

    /// <summary>Numbers of a row.</summary>
    public int Width => _width;

    /// <summary>Rows that have a gradient.</summary>
    public IReadOnlyCollection<long> Rows => _places.Keys;

    /// <summary>Whether the gradient of a matrix may be kept as rows.</summary>
    public static bool Suits(Tensor weight) => weight.ndim == 2 && TensorRows.Serves(weight) && weight.is_contiguous();

    /// <summary>The gradient of a row, <see cref="Width"/> numbers; null where it has none. Valid until a gradient is added.</summary>
    public byte* Find(long row) => _places.TryGetValue(row, out int place) ? First + ((long)place * _width * _elementSize) : null;

    /// <summary>Adds the gradients of rows, summed up in float32 in the order in which they are given and rounded once.</summary>
    /// <param name="rows">The rows; one may occur more than once.</param>
    /// <param name="gradient"><c>[rows, width]</c>, of the matrix's type.</param>
    public void Add(ReadOnlySpan<long> rows, Tensor gradient)
    {
        using Tensor contiguous = gradient.contiguous();
        nint source = TensorSpans.AddressOf(contiguous);
        var sums = new Dictionary<long, int>();
        float[] rented = ArrayPool<float>.Shared.Rent(rows.Length * _width);
        fixed (float* buffer = rented)
        {
            for (int i = 0; i < rows.Length; i++)
            {
                bool isFirst = sums.TryAdd(rows[i], sums.Count);
                float* sum = buffer + ((long)sums[rows[i]] * _width);
                if (_elementSize == sizeof(float)) Add((float*)source + ((long)i * _width), sum, isFirst);
                else Add((ushort*)source + ((long)i * _width), sum, isFirst);
            }

            foreach ((long row, int place) in sums)
            {
                bool isFirst = _places.TryAdd(row, _places.Count);
                if (isFirst) Reserve(_places.Count);
                byte* own = Find(row);
                if (_elementSize == sizeof(float)) Store(buffer + ((long)place * _width), (float*)own, isFirst);
                else Store(buffer + ((long)place * _width), (ushort*)own, isFirst);
            }
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>Σ g².</summary>
    public double SumOfSquares()
    {
        double sum = 0;
        foreach (long row in _places.Keys)
        {
            byte* own = Find(row);
            for (int i = 0; i < _width; i++)
            {
                double number = _elementSize == sizeof(float) ? ((float*)own)[i] : BitConverter.UInt32BitsToSingle((uint)((ushort*)own)[i] << 16);
                sum += number * number;
            }
        }

        return sum;
    }

    /// <summary>The whole matrix, for what cannot take rows, in the current dispose scope.</summary>
    public Tensor ToDense()
    {
        Tensor dense = zeros_like(weight);
        var target = (byte*)TensorSpans.AddressOf(dense);
        int bytes = _width * _elementSize;
        foreach (long row in _places.Keys) new ReadOnlySpan<byte>(Find(row), bytes).CopyTo(new Span<byte>(target + (row * bytes), bytes));
        return dense;
    }

    /// <summary>Forgets all.</summary>
    public void Clear() => _places.Clear();

    private byte* First => (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_rows, 0);

    private void Reserve(int rows)
    {
        long needed = (long)rows * _width * _elementSize;
        if (needed <= _rows.Length) return;
        byte[] larger = GC.AllocateUninitializedArray<byte>(checked((int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * _rows.Length))), pinned: true);
        _rows.CopyTo(larger, 0);
        _rows = larger;
    }

    private void Add<T>(T* row, float* sum, bool isFirst)
        where T : unmanaged
    {
        for (int i = 0; i < _width; i += FloatLanes.Count)
        {
            int count = Math.Min(FloatLanes.Count, _width - i);
            FloatLanes.Store(isFirst ? FloatLanes.LoadAs(row + i, count) : FloatLanes.Load(sum + i, count) + FloatLanes.LoadAs(row + i, count), sum + i, count);
        }
    }

    private void Store<T>(float* sum, T* own, bool isFirst)
        where T : unmanaged
    {
        for (int i = 0; i < _width; i += FloatLanes.Count)
        {
            int count = Math.Min(FloatLanes.Count, _width - i);
            FloatLanes.StoreAs(isFirst ? FloatLanes.Load(sum + i, count) : FloatLanes.LoadAs(own + i, count) + FloatLanes.Load(sum + i, count), own + i, count);
        }
    }
}
