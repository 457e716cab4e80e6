using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public unsafe class BFloat16VectorTests
{
    public static TheoryData<float> Values => [0f, -0f, 1f, -1f, 1.00390625f, 1.01171875f, 3.14159265f, 1e-40f, float.Epsilon, 3.4e38f, float.MaxValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN];

    [Theory]
    [MemberData(nameof(Values))]
    public void Rounding_to_nearest_equals_that_of_torch(float value)
    {
        ushort* rounded = stackalloc ushort[BFloat16Vector.Count];
        BFloat16Vector.RoundNearest(Vector256.Create(value)).Store(rounded);
        float expected = tensor(value).bfloat16().to_type(ScalarType.Float32).item<float>();
        Assert.Equal(expected, BFloat16Vector.Load(rounded)[0]);
    }

    [Theory]
    [MemberData(nameof(Values))]
    public void Stochastic_rounding_gives_one_of_the_two_neighbours(float value)
    {
        ushort* rounded = stackalloc ushort[BFloat16Vector.Count];
        for (uint seed = 0; seed < 50; seed++)
        {
            BFloat16Vector.RoundStochastic(Vector256.Create(value), BFloat16Vector.RandomBits(seed, 0)).Store(rounded);
            float down = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000);
            float up = BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000) + 0x10000);
            float actual = BFloat16Vector.Load(rounded)[3];
            if (float.IsFinite(value)) Assert.True(actual == down || actual == up, $"{value} became {actual}");
            else Assert.Equal(value, actual);
        }
    }
}
