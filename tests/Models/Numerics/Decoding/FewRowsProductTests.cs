using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models.Tests;

public unsafe class FewRowsProductTests
{
    private delegate void Product(nint weights, int inWidth, int first, int end, float[] inputs, int rows, float[] outputs, int outputStride);

    /// <summary>Every width and every form of weights; numbers of an input that fill vectors and that do not; outputs and rows that fill blocks and that do not.</summary>
    public static TheoryData<string, bool, int, int, int> Shapes()
    {
        var data = new TheoryData<string, bool, int, int, int>();
        foreach (string width in Products.Keys.Select(key => key.Width).Distinct())
            foreach (bool rounded in (bool[])[true, false])
                foreach (var (inWidth, outputs, rows) in ((int, int, int)[])[(64, 8, 1), (96, 12, 4), (200, 7, 3), (33, 5, 9), (7, 3, 2), (160, 1, 6), (64, 4, 16)])
                    data.Add(width, rounded, inWidth, outputs, rows);
        return data;
    }

    private static Dictionary<(string Width, bool Rounded), Product> Products { get; } = new()
    {
        [("scalar", true)] = Run<ScalarLanes, float, BFloat16Numbers>,
        [("scalar", false)] = Run<ScalarLanes, float, Float32Numbers>,
        [("128", true)] = Run<Lanes128, Vector128<float>, BFloat16Numbers>,
        [("128", false)] = Run<Lanes128, Vector128<float>, Float32Numbers>,
        [("256", true)] = Run<Lanes256, Vector256<float>, BFloat16Numbers>,
        [("256", false)] = Run<Lanes256, Vector256<float>, Float32Numbers>,
        [("512", true)] = Run<Lanes512, Vector512<float>, BFloat16Numbers>,
        [("512", false)] = Run<Lanes512, Vector512<float>, Float32Numbers>,
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_product_is_the_sum_of_products_whatever_the_width_of_vectors(string width, bool rounded, int inWidth, int outputs, int rows)
    {
        var (weights, inputs) = Numbers(inWidth, outputs, rows);
        float[] results = Multiply(Products[(width, rounded)], weights, rounded, inputs, inWidth, outputs, rows, [0, outputs]);

        for (int row = 0; row < rows; row++)
        {
            for (int output = 0; output < outputs; output++)
            {
                double sum = 0, size = 0;
                for (int k = 0; k < inWidth; k++)
                {
                    double product = (double)inputs[(row * inWidth) + k] * weights[(output * inWidth) + k];
                    (sum, size) = (sum + product, size + Math.Abs(product));
                }

                Assert.Equal(sum, results[(row * outputs) + output], 1e-6 * size);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_row_gives_the_same_bits_alone_and_among_others_and_however_the_outputs_are_divided(
        string width, bool rounded, int inWidth, int outputs, int rows)
    {
        var (weights, inputs) = Numbers(inWidth, outputs, rows);
        Product product = Products[(width, rounded)];
        float[] together = Multiply(product, weights, rounded, inputs, inWidth, outputs, rows, [0, outputs]);

        float[] divided = Multiply(product, weights, rounded, inputs, inWidth, outputs, rows, [0, outputs / 3, outputs / 2, outputs]);
        Assert.Equal(together, divided);
        for (int row = 0; row < rows; row++)
        {
            float[] alone = Multiply(product, weights, rounded, inputs[(row * inWidth)..((row + 1) * inWidth)], inWidth, outputs, 1, [0, outputs]);
            Assert.Equal(together[(row * outputs)..((row + 1) * outputs)], alone);
        }
    }

    [Fact]
    public void A_not_a_number_and_infinities_are_neither_lost_nor_invented()
    {
        float[] weights = [.. Enumerable.Repeat(1f, 64), .. Enumerable.Repeat(2f, 64)];
        float[] inputs = [.. Enumerable.Repeat(1f, 192)];
        (inputs[5], inputs[64 + 9]) = (float.NaN, float.PositiveInfinity);
        foreach (var (key, product) in Products)
        {
            float[] results = Multiply(product, weights, key.Rounded, inputs, 64, 2, 3, [0, 2]);
            Assert.Equal([float.NaN, float.NaN, float.PositiveInfinity, float.PositiveInfinity, 64, 128], results);
        }
    }

    /// <summary>Weights that bfloat16 holds exactly.</summary>
    private static (float[] Weights, float[] Inputs) Numbers(int inWidth, int outputs, int rows)
    {
        var random = new Random((inWidth * 1000) + outputs);
        return ([.. Enumerable.Range(0, inWidth * outputs).Select(_ => (random.Next(256) - 128) / 32f)],
            [.. Enumerable.Range(0, inWidth * rows).Select(_ => (random.NextSingle() * 2) - 1)]);
    }

    private static float[] Multiply(Product product, float[] weights, bool rounded, float[] inputs, int inWidth, int outputs, int rows, int[] borders)
    {
        int size = rounded ? sizeof(ushort) : sizeof(float);

        void* memory = NativeMemory.AlignedAlloc((nuint)(weights.Length * size), 64);
        try
        {
            for (int i = 0; i < weights.Length; i++)
            {
                if (rounded) BFloat16Numbers.Write(memory, i, weights[i]);
                else Float32Numbers.Write(memory, i, weights[i]);
            }

            float[] results = [.. Enumerable.Repeat(-1f, rows * outputs)];
            for (int part = 1; part < borders.Length; part++) product((nint)memory, inWidth, borders[part - 1], borders[part], inputs, rows, results, outputs);
            return results;
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    private static void Run<TLanes, TVector, TWeights>(nint weights, int inWidth, int first, int end, float[] inputs, int rows, float[] outputs, int outputStride)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
        where TWeights : struct, IWeights
    {
        float[] arranged = new float[inputs.Length];
        fixed (float* source = inputs, target = arranged, results = outputs)
        {
            for (int row = 0; row < rows; row++) FewRowsProduct<TLanes, TVector, TWeights>.Arrange(source + (row * inWidth), target + (row * inWidth), inWidth);
            FewRowsProduct<TLanes, TVector, TWeights>.Multiply((byte*)weights, inWidth, first, end, target, inWidth, rows, results, outputStride);
        }
    }
}
