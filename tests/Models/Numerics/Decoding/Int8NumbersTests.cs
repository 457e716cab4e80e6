using System.Runtime.Intrinsics;

namespace MLComponents.Models.Tests;

public unsafe class Int8NumbersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(45)]
    [InlineData(200)]
    public void A_number_is_off_by_at_most_half_a_step_of_its_group(int count)
    {
        float[] values = Values(count, count);
        fixed (byte* row = new byte[Int8Numbers.BytesOf(count)])
        {
            Int8Numbers.Store(values, row);
            for (int i = 0; i < count; i++)
            {
                float[] group = values[(i / 32 * 32)..Math.Min(count, (i / 32 * 32) + 32)];
                float step = group.Max(Math.Abs) / 127;
                Assert.Equal(values[i], Int8Numbers.At(row, i), (0.5 * step) + 1e-7);
            }
        }
    }

    [Fact]
    public void Zeros_stay_zeros_and_what_is_no_number_stays_visible()
    {
        float[] values = new float[96];
        (values[40], values[70]) = (float.NaN, float.PositiveInfinity);
        fixed (byte* row = new byte[Int8Numbers.BytesOf(96)])
        {
            Int8Numbers.Store(values, row);
            Assert.Equal(0, Int8Numbers.At(row, 3));
            Assert.True(float.IsNaN(Int8Numbers.At(row, 40)));
            Assert.False(float.IsFinite(Int8Numbers.At(row, 70)));
        }
    }

    [Fact]
    public void Every_width_multiplies_with_the_numbers_that_are_stored()
    {
        foreach (var (inWidth, outputs, rows) in ((int, int, int)[])[(64, 8, 1), (200, 7, 3), (33, 5, 9), (7, 3, 2), (96, 4, 16)])
        {
            Run<ScalarLanes, float>(inWidth, outputs, rows);
            Run<Lanes128, Vector128<float>>(inWidth, outputs, rows);
            Run<Lanes256, Vector256<float>>(inWidth, outputs, rows);
            Run<Lanes512, Vector512<float>>(inWidth, outputs, rows);
        }
    }

    private static void Run<TLanes, TVector>(int inWidth, int outputs, int rows)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        float[] inputs = Values(inWidth * rows, 1), results = new float[outputs * rows];
        nint stride = Int8Numbers.BytesOf(inWidth);
        fixed (byte* weights = new byte[outputs * stride])
        fixed (float* source = inputs, arranged = new float[inputs.Length], target = results)
        {
            for (int output = 0; output < outputs; output++) Int8Numbers.Store(Values(inWidth, output), weights + (output * stride));
            for (int row = 0; row < rows; row++) FewRowsProduct<TLanes, TVector, Int8Numbers>.Arrange(source + (row * inWidth), arranged + (row * inWidth), inWidth);
            FewRowsProduct<TLanes, TVector, Int8Numbers>.Multiply(weights, inWidth, 0, outputs, arranged, inWidth, rows, target, outputs);
            for (int row = 0; row < rows; row++)
            {
                for (int output = 0; output < outputs; output++)
                {
                    double sum = 0, size = 0;
                    for (int k = 0; k < inWidth; k++)
                    {
                        double product = (double)inputs[(row * inWidth) + k] * Int8Numbers.At(weights + (output * stride), k);
                        (sum, size) = (sum + product, size + Math.Abs(product));
                    }

                    Assert.Equal(sum, results[(row * outputs) + output], 1e-6 * size);
                }
            }
        }
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * MathF.Exp(2 * random.NextSingle()))];
    }
}
