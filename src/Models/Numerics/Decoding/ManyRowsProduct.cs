using System.Numerics;
using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>
/// Y = X Wᵀ for many rows of X, as prompts need it. W is brought, a <i>panel</i> of some outputs at a time, and X, a <i>block</i> of some rows at a time, into an order
/// in which a vector holds a number of every output, so that nothing is to be added up over a vector and nothing to be widened within the loops.
/// </summary>
/// <remarks>
/// The bits are those of <see cref="FewRowsProduct{TLanes,TVector,TWeights}"/>. That adds up the products at one place of its vectors, and then the sums of the
/// places in pairs. Here all products of one such <i>place</i> are added up before those of the next, in the order in which the pairs are made.
/// </remarks>
/// <typeparam name="TLanes">The width of vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="TWeights">How W is stored.</typeparam>
internal static unsafe class ManyRowsProduct<TLanes, TVector, TWeights>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
    where TWeights : struct, IWeights
{
    /// <summary>The vectors of outputs in a panel.</summary>
    private const int Vectors = 3;

    // Places begin on different sets of the cache's lines, however many numbers they have.
    private const int Gap = 16;

    // A sum of each level at which pairs of places are added, of at most 16 places, and the one that is being added up.
    private const int Sums = 5;

    private const int MostTiles = 2;

    /// <summary>The outputs of a panel.</summary>
    public static int Outputs
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vectors * TLanes.Count;
    }

    /// <summary>The rows of a block.</summary>
    public static int Rows
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Count > TLanes.Rows ? TLanes.Count : TLanes.Rows;
    }

    /// <summary>The numbers of a tile: the sums that are in registers at once.</summary>
    private static int Tile
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Rows * Outputs;
    }

    /// <summary>The numbers that a panel takes.</summary>
    public static nint PanelSize(nint inWidth) => (TLanes.Count * Gap) + (inWidth * Outputs);

    /// <summary>The numbers that a block takes.</summary>
    public static nint BlockSize(nint inWidth) => (TLanes.Count * Gap) + (inWidth * Rows);

    /// <summary>Fills a panel.</summary>
    /// <param name="weights">W, <c>[outputs, inWidth]</c>.</param>
    /// <param name="inWidth">The numbers of a row of X.</param>
    /// <param name="first">The first output.</param>
    /// <param name="end">The output to stop before; what a panel has room for beyond it is filled with zeros.</param>
    /// <param name="panel">Takes the panel.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void FillPanel(byte* weights, nint inWidth, nint first, nint end, float* panel)
    {
        nint bytes = TWeights.BytesOf(inWidth), turns = TurnsOf(inWidth), stride = (turns * Outputs) + Gap;
        float* spare = stackalloc float[2 * TLanes.Count * TLanes.Count];
        for (nint vector = 0; vector < Vectors; vector++)
        {
            nint output = first + (vector * TLanes.Count), present = Math.Clamp(end - output, 0, TLanes.Count);
            byte* rows = weights + (output * bytes);
            float* target = panel + (vector * TLanes.Count), last = target + (TLanes.Count * stride);
            for (nint turn = 0; turn < turns; turn += 2, target += 2 * Outputs)
            {
                if (present == TLanes.Count) TWeights.LoadColumns<TLanes, TVector>(rows, inWidth, turn * TLanes.Count, target, target + Outputs, stride, spare);
                else WeightColumns<TLanes, TVector, TWeights>.Load(rows, inWidth, turn * TLanes.Count, present, target, target + Outputs, stride, spare);
            }

            for (nint k = turns * TLanes.Count; k < inWidth; k++, last += Outputs)
                for (nint row = 0; row < TLanes.Count; row++) last[row] = row < present ? TWeights.At(rows + (row * bytes), k) : 0;
        }
    }

    /// <summary>Fills a block.</summary>
    /// <param name="source">Rows of X.</param>
    /// <param name="stride">The distance of two rows.</param>
    /// <param name="rows">How many there are; what a block has room for beyond them is filled with zeros.</param>
    /// <param name="inWidth">The numbers of a row.</param>
    /// <param name="block">Takes the block.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void FillBlock(float* source, nint stride, nint rows, nint inWidth, float* block)
    {
        nint turns = TurnsOf(inWidth), placeStride = (turns * Rows) + Gap;
        float* first = stackalloc float[2 * Rows * TLanes.Count], second = first + (Rows * TLanes.Count);
        new Span<float>(first, 2 * Rows * TLanes.Count).Clear();
        nint k = 0;
        for (float* target = block; k < turns * TLanes.Count; k += 2 * TLanes.Count, target += 2 * Rows)
        {
            for (nint row = 0; row < rows; row++)
            {
                float* numbers = source + (row * stride) + k;
                TVector a, b;
                if (TWeights.SeparatesPlaces) TLanes.Separate(numbers, out a, out b);
                else (a, b) = (TLanes.Load(numbers), TLanes.Load(numbers + TLanes.Count));
                TLanes.Store(a, first + (row * TLanes.Count));
                TLanes.Store(b, second + (row * TLanes.Count));
            }

            for (nint row = 0; row < Rows; row += TLanes.Count)
            {
                TLanes.Transpose((byte*)(first + (row * TLanes.Count)), TLanes.Count * sizeof(float), target + row, placeStride);
                TLanes.Transpose((byte*)(second + (row * TLanes.Count)), TLanes.Count * sizeof(float), target + Rows + row, placeStride);
            }
        }

        for (float* last = block + (TLanes.Count * placeStride); k < inWidth; k++, last += Rows)
            for (nint row = 0; row < Rows; row++) last[row] = row < rows ? source[(row * stride) + k] : 0;
    }

    /// <summary>Computes a panel's outputs of a block's rows.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="block">The block.</param>
    /// <param name="inWidth">The numbers of a row of X.</param>
    /// <param name="rows">The rows of the block that there are.</param>
    /// <param name="count">The outputs of the panel that there are.</param>
    /// <param name="outputs">Y, <c>[rows, outputStride]</c>; takes the outputs of the first row, and so on.</param>
    /// <param name="outputStride">The distance of two rows of Y.</param>
    /// <param name="next">Memory that is asked for meanwhile.</param>
    /// <param name="nextBytes">How much.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Multiply(float* panel, float* block, nint inWidth, nint rows, nint count, float* outputs, nint outputStride, byte* next, nint nextBytes)
    {
        nint turns = TurnsOf(inWidth), panelStride = (turns * Outputs) + Gap, blockStride = (turns * Rows) + Gap, tileSums = Sums * Tile;
        nint tiles = (rows + TLanes.Rows - 1) / TLanes.Rows, step = (nextBytes + TLanes.Count - 1) / TLanes.Count;
        float* sums = stackalloc float[MostTiles * Sums * Tile], top = sums;
        for (nint place = 0; place < TLanes.Count; place++)
        {
            next = Lookahead.Ask(next, step);

            // Every second place is added to the one before it, then this pair to the pair before it, and so on.
            nint earlier = BitOperations.TrailingZeroCount(~place);
            for (nint tile = 0; tile < tiles; tile++)
            {
                float* x = block + (place * blockStride) + (tile * TLanes.Rows), w = panel + (place * panelStride);
                if (TLanes.Rows == 8) AddUpEightRows(w, x, Rows, turns, top + (tile * tileSums), earlier);
                else AddUpFourRows(w, x, Rows, turns, top + (tile * tileSums), earlier);
            }

            top += (1 - earlier) * Tile;
        }

        float* lastWeights = panel + (TLanes.Count * panelStride), lastInputs = block + (TLanes.Count * blockStride);
        nint rest = inWidth - (turns * TLanes.Count);
        for (nint row = 0; row < rows; row++)
        {
            float* sum = sums + (row / TLanes.Rows * tileSums) + (row % TLanes.Rows * Outputs);
            for (nint k = 0; k < rest; k++) AddProduct(lastWeights + (k * Outputs), lastInputs[(k * Rows) + row], sum);
            Write(sum, outputs + (row * outputStride), count);
        }
    }

    /// <summary>The numbers at each place of vectors that make pairs; what is left behind them is added up one by one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint TurnsOf(nint inWidth) => inWidth / (2 * TLanes.Count) * 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(float* sum, float* target, nint count)
    {
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count) TLanes.Store(TLanes.Load(sum + i), target + i);
        for (; i < count; i++) target[i] = sum[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddProduct(float* weights, float input, float* sum)
    {
        for (nint i = 0; i < Outputs; i += TLanes.Count)
            TLanes.Store(TLanes.Add(TLanes.Load(sum + i), TLanes.Multiply(TLanes.Load(weights + i), TLanes.Broadcast(input))), sum + i);
    }

    /// <summary>The sums of one place for eight rows, whose numbers lie side by side, and of the places and pairs before it that it completes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddUpEightRows(float* w, float* x, nint xStride, nint turns, float* sums, nint earlier)
    {
        TVector a0 = default, a1 = default, a2 = default, b0 = default, b1 = default, b2 = default, c0 = default, c1 = default, c2 = default;
        TVector d0 = default, d1 = default, d2 = default, e0 = default, e1 = default, e2 = default, f0 = default, f1 = default, f2 = default;
        TVector g0 = default, g1 = default, g2 = default, h0 = default, h1 = default, h2 = default;
        for (nint turn = 0; turn < turns; turn += 2)
        {
            // Twice the same, as fewer turns are foreseen better.
            TVector w0 = TLanes.Load(w), w1 = TLanes.Load(w + TLanes.Count), w2 = TLanes.Load(w + (2 * TLanes.Count));
            TVector input = TLanes.Broadcast(x[0]);
            a0 = TLanes.MultiplyAdd(w0, input, a0);
            a1 = TLanes.MultiplyAdd(w1, input, a1);
            a2 = TLanes.MultiplyAdd(w2, input, a2);
            input = TLanes.Broadcast(x[1]);
            b0 = TLanes.MultiplyAdd(w0, input, b0);
            b1 = TLanes.MultiplyAdd(w1, input, b1);
            b2 = TLanes.MultiplyAdd(w2, input, b2);
            input = TLanes.Broadcast(x[2]);
            c0 = TLanes.MultiplyAdd(w0, input, c0);
            c1 = TLanes.MultiplyAdd(w1, input, c1);
            c2 = TLanes.MultiplyAdd(w2, input, c2);
            input = TLanes.Broadcast(x[3]);
            d0 = TLanes.MultiplyAdd(w0, input, d0);
            d1 = TLanes.MultiplyAdd(w1, input, d1);
            d2 = TLanes.MultiplyAdd(w2, input, d2);
            input = TLanes.Broadcast(x[4]);
            e0 = TLanes.MultiplyAdd(w0, input, e0);
            e1 = TLanes.MultiplyAdd(w1, input, e1);
            e2 = TLanes.MultiplyAdd(w2, input, e2);
            input = TLanes.Broadcast(x[5]);
            f0 = TLanes.MultiplyAdd(w0, input, f0);
            f1 = TLanes.MultiplyAdd(w1, input, f1);
            f2 = TLanes.MultiplyAdd(w2, input, f2);
            input = TLanes.Broadcast(x[6]);
            g0 = TLanes.MultiplyAdd(w0, input, g0);
            g1 = TLanes.MultiplyAdd(w1, input, g1);
            g2 = TLanes.MultiplyAdd(w2, input, g2);
            input = TLanes.Broadcast(x[7]);
            h0 = TLanes.MultiplyAdd(w0, input, h0);
            h1 = TLanes.MultiplyAdd(w1, input, h1);
            h2 = TLanes.MultiplyAdd(w2, input, h2);
            w += Vectors * TLanes.Count;
            x += xStride;
            (w0, w1, w2) = (TLanes.Load(w), TLanes.Load(w + TLanes.Count), TLanes.Load(w + (2 * TLanes.Count)));
            input = TLanes.Broadcast(x[0]);
            a0 = TLanes.MultiplyAdd(w0, input, a0);
            a1 = TLanes.MultiplyAdd(w1, input, a1);
            a2 = TLanes.MultiplyAdd(w2, input, a2);
            input = TLanes.Broadcast(x[1]);
            b0 = TLanes.MultiplyAdd(w0, input, b0);
            b1 = TLanes.MultiplyAdd(w1, input, b1);
            b2 = TLanes.MultiplyAdd(w2, input, b2);
            input = TLanes.Broadcast(x[2]);
            c0 = TLanes.MultiplyAdd(w0, input, c0);
            c1 = TLanes.MultiplyAdd(w1, input, c1);
            c2 = TLanes.MultiplyAdd(w2, input, c2);
            input = TLanes.Broadcast(x[3]);
            d0 = TLanes.MultiplyAdd(w0, input, d0);
            d1 = TLanes.MultiplyAdd(w1, input, d1);
            d2 = TLanes.MultiplyAdd(w2, input, d2);
            input = TLanes.Broadcast(x[4]);
            e0 = TLanes.MultiplyAdd(w0, input, e0);
            e1 = TLanes.MultiplyAdd(w1, input, e1);
            e2 = TLanes.MultiplyAdd(w2, input, e2);
            input = TLanes.Broadcast(x[5]);
            f0 = TLanes.MultiplyAdd(w0, input, f0);
            f1 = TLanes.MultiplyAdd(w1, input, f1);
            f2 = TLanes.MultiplyAdd(w2, input, f2);
            input = TLanes.Broadcast(x[6]);
            g0 = TLanes.MultiplyAdd(w0, input, g0);
            g1 = TLanes.MultiplyAdd(w1, input, g1);
            g2 = TLanes.MultiplyAdd(w2, input, g2);
            input = TLanes.Broadcast(x[7]);
            h0 = TLanes.MultiplyAdd(w0, input, h0);
            h1 = TLanes.MultiplyAdd(w1, input, h1);
            h2 = TLanes.MultiplyAdd(w2, input, h2);
            w += Vectors * TLanes.Count;
            x += xStride;
        }

        Put(a0, a1, a2, sums, earlier);
        Put(b0, b1, b2, sums + Outputs, earlier);
        Put(c0, c1, c2, sums + (2 * Outputs), earlier);
        Put(d0, d1, d2, sums + (3 * Outputs), earlier);
        Put(e0, e1, e2, sums + (4 * Outputs), earlier);
        Put(f0, f1, f2, sums + (5 * Outputs), earlier);
        Put(g0, g1, g2, sums + (6 * Outputs), earlier);
        Put(h0, h1, h2, sums + (7 * Outputs), earlier);
    }

    /// <summary>The same for four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddUpFourRows(float* w, float* x, nint xStride, nint turns, float* sums, nint earlier)
    {
        TVector a0 = default, a1 = default, a2 = default, b0 = default, b1 = default, b2 = default, c0 = default, c1 = default, c2 = default;
        TVector d0 = default, d1 = default, d2 = default;
        for (nint turn = 0; turn < turns; turn += 2)
        {
            TVector w0 = TLanes.Load(w), w1 = TLanes.Load(w + TLanes.Count), w2 = TLanes.Load(w + (2 * TLanes.Count));
            TVector input = TLanes.Broadcast(x[0]);
            a0 = TLanes.MultiplyAdd(w0, input, a0);
            a1 = TLanes.MultiplyAdd(w1, input, a1);
            a2 = TLanes.MultiplyAdd(w2, input, a2);
            input = TLanes.Broadcast(x[1]);
            b0 = TLanes.MultiplyAdd(w0, input, b0);
            b1 = TLanes.MultiplyAdd(w1, input, b1);
            b2 = TLanes.MultiplyAdd(w2, input, b2);
            input = TLanes.Broadcast(x[2]);
            c0 = TLanes.MultiplyAdd(w0, input, c0);
            c1 = TLanes.MultiplyAdd(w1, input, c1);
            c2 = TLanes.MultiplyAdd(w2, input, c2);
            input = TLanes.Broadcast(x[3]);
            d0 = TLanes.MultiplyAdd(w0, input, d0);
            d1 = TLanes.MultiplyAdd(w1, input, d1);
            d2 = TLanes.MultiplyAdd(w2, input, d2);
            w += Vectors * TLanes.Count;
            x += xStride;
            (w0, w1, w2) = (TLanes.Load(w), TLanes.Load(w + TLanes.Count), TLanes.Load(w + (2 * TLanes.Count)));
            input = TLanes.Broadcast(x[0]);
            a0 = TLanes.MultiplyAdd(w0, input, a0);
            a1 = TLanes.MultiplyAdd(w1, input, a1);
            a2 = TLanes.MultiplyAdd(w2, input, a2);
            input = TLanes.Broadcast(x[1]);
            b0 = TLanes.MultiplyAdd(w0, input, b0);
            b1 = TLanes.MultiplyAdd(w1, input, b1);
            b2 = TLanes.MultiplyAdd(w2, input, b2);
            input = TLanes.Broadcast(x[2]);
            c0 = TLanes.MultiplyAdd(w0, input, c0);
            c1 = TLanes.MultiplyAdd(w1, input, c1);
            c2 = TLanes.MultiplyAdd(w2, input, c2);
            input = TLanes.Broadcast(x[3]);
            d0 = TLanes.MultiplyAdd(w0, input, d0);
            d1 = TLanes.MultiplyAdd(w1, input, d1);
            d2 = TLanes.MultiplyAdd(w2, input, d2);
            w += Vectors * TLanes.Count;
            x += xStride;
        }

        Put(a0, a1, a2, sums, earlier);
        Put(b0, b1, b2, sums + Outputs, earlier);
        Put(c0, c1, c2, sums + (2 * Outputs), earlier);
        Put(d0, d1, d2, sums + (3 * Outputs), earlier);
    }

    /// <summary>Adds a row's sums to those of so many places and pairs before, and stores them in the place of the first of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(TVector s0, TVector s1, TVector s2, float* sums, nint earlier)
    {
        for (; earlier > 0; earlier--)
        {
            sums -= Tile;
            s0 = TLanes.Add(TLanes.Load(sums), s0);
            s1 = TLanes.Add(TLanes.Load(sums + TLanes.Count), s1);
            s2 = TLanes.Add(TLanes.Load(sums + (2 * TLanes.Count)), s2);
        }

        TLanes.Store(s0, sums);
        TLanes.Store(s1, sums + TLanes.Count);
        TLanes.Store(s2, sums + (2 * TLanes.Count));
    }
}
