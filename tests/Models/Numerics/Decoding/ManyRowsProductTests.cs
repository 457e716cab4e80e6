using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models.Tests;

public unsafe class ManyRowsProductTests
{
    private delegate (float[] Few, float[] Many) Products(int inWidth, int outputs, int rows);

    private static Dictionary<string, Products> Kinds { get; } = new()
    {
        ["128, bfloat16"] = Run<Lanes128, Vector128<float>, BFloat16Numbers>,
        ["128, float32"] = Run<Lanes128, Vector128<float>, Float32Numbers>,
        ["128, eight bits"] = Run<Lanes128, Vector128<float>, Int8Numbers>,
        ["256, bfloat16"] = Run<Lanes256, Vector256<float>, BFloat16Numbers>,
        ["256, float32"] = Run<Lanes256, Vector256<float>, Float32Numbers>,
        ["256, eight bits"] = Run<Lanes256, Vector256<float>, Int8Numbers>,
        ["512, bfloat16"] = Run<Lanes512, Vector512<float>, BFloat16Numbers>,
        ["512, float32"] = Run<Lanes512, Vector512<float>, Float32Numbers>,
        ["512, eight bits"] = Run<Lanes512, Vector512<float>, Int8Numbers>,
    };

    /// <summary>Numbers that fill vectors and that do not; outputs that fill panels, vectors, neither; rows that fill blocks, tiles, neither.</summary>
    public static TheoryData<string, int, int, int> Shapes()
    {
        var data = new TheoryData<string, int, int, int>();
        foreach (string kind in Kinds.Keys)
            foreach (var (inWidth, outputs, rows) in ((int, int, int)[])[(64, 96, 32), (576, 48, 16), (100, 77, 21), (33, 5, 9), (7, 3, 2), (160, 1, 1), (1536, 50, 3)])
                data.Add(kind, inWidth, outputs, rows);
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Many_rows_give_the_bits_that_few_give(string kind, int inWidth, int outputs, int rows)
    {
        var (few, many) = Kinds[kind](inWidth, outputs, rows);
        Assert.Equal(few.Select(BitConverter.SingleToInt32Bits), many.Select(BitConverter.SingleToInt32Bits));
        Assert.True(few.Distinct().Count() > few.Length / 2);
    }

    private static (float[] Few, float[] Many) Run<TLanes, TVector, TWeights>(int inWidth, int outputs, int rows)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
        where TWeights : struct, IWeights
    {
        var random = new Random(inWidth + outputs);
        int most = ManyRowsProduct<TLanes, TVector, TWeights>.Rows, panelOutputs = ManyRowsProduct<TLanes, TVector, TWeights>.Outputs, blocks = (rows + most - 1) / most;
        nint bytes = TWeights.BytesOf(inWidth), blockSize = ManyRowsProduct<TLanes, TVector, TWeights>.BlockSize(inWidth);
        float[] few = new float[rows * outputs], many = [.. Enumerable.Repeat(float.NaN, rows * outputs)];
        float[] inputs = [.. Enumerable.Range(0, rows * inWidth).Select(_ => (random.NextSingle() * 2) - 1)], arranged = new float[inputs.Length];
        var weights = (byte*)NativeMemory.AllocZeroed((nuint)(outputs * bytes));
        var panel = (float*)NativeMemory.AlignedAlloc((nuint)(ManyRowsProduct<TLanes, TVector, TWeights>.PanelSize(inWidth) * sizeof(float)), 64);
        var block = (float*)NativeMemory.AlignedAlloc((nuint)(blocks * blockSize * sizeof(float)), 64);
        try
        {
            for (int output = 0; output < outputs; output++) Fill<TWeights>(weights + (output * bytes), [.. Enumerable.Range(0, inWidth).Select(_ => random.NextSingle() - 0.5f)]);
            fixed (float* source = inputs, target = arranged, y = few, z = many)
            {
                for (int row = 0; row < rows; row++) FewRowsProduct<TLanes, TVector, TWeights>.Arrange(source + (row * inWidth), target + (row * inWidth), inWidth);
                FewRowsProduct<TLanes, TVector, TWeights>.Multiply(weights, inWidth, 0, outputs, target, inWidth, rows, y, outputs);
                for (int row = 0; row < rows; row += most)
                    ManyRowsProduct<TLanes, TVector, TWeights>.FillBlock(source + (row * inWidth), inWidth, Math.Min(most, rows - row), inWidth, block + (row / most * blockSize));
                for (int first = 0; first < outputs; first += panelOutputs)
                {
                    int end = Math.Min(outputs, first + panelOutputs);
                    ManyRowsProduct<TLanes, TVector, TWeights>.FillPanel(weights, inWidth, first, end, panel);
                    for (int row = 0; row < rows; row += most)
                    {
                        ManyRowsProduct<TLanes, TVector, TWeights>.Multiply(
                            panel, block + (row / most * blockSize), inWidth, Math.Min(most, rows - row), end - first, z + (row * outputs) + first, outputs, weights, 0);
                    }
                }
            }

            return (few, many);
        }
        finally
        {
            NativeMemory.Free(weights);
            NativeMemory.AlignedFree(panel);
            NativeMemory.AlignedFree(block);
        }
    }

    private static void Fill<TWeights>(byte* target, float[] numbers)
        where TWeights : struct, IWeights
    {
        if (typeof(TWeights) == typeof(Int8Numbers)) Int8Numbers.Store(numbers, target);
        for (int i = 0; i < numbers.Length; i++)
        {
            if (typeof(TWeights) == typeof(BFloat16Numbers)) BFloat16Numbers.Write(target, i, numbers[i]);
            if (typeof(TWeights) == typeof(Float32Numbers)) Float32Numbers.Write(target, i, numbers[i]);
        }
    }
}
