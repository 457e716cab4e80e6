using System.Runtime.Intrinsics;

namespace MLComponents.Models.Tests;

public unsafe class ExponentialTests
{
    private delegate float[] Function(float[] numbers);

    private static Dictionary<string, Function> Widths { get; } = new()
    {
        ["scalar"] = Of<ScalarLanes, float>,
        ["128"] = Of<Lanes128, Vector128<float>>,
        ["256"] = Of<Lanes256, Vector256<float>>,
        ["512"] = Of<Lanes512, Vector512<float>>,
    };

    public static TheoryData<string> Names() => [.. Widths.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_right_within_two_units_in_the_last_place(string width)
    {
        float[] numbers = [.. Enumerable.Range(-87_000, 175_712).Select(i => i / 1000f + 0.0003f)];
        float[] results = Widths[width](numbers);
        for (int i = 0; i < numbers.Length; i++)
        {
            double expected = Math.Exp(numbers[i]);
            float nearest = (float)expected;
            Assert.True(Math.Abs(results[i] - expected) <= 2.0 * (MathF.BitIncrement(nearest) - nearest), $"exp({numbers[i]:R}) is {expected:R}, found {results[i]:R}.");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_too_small_is_zero_and_what_is_too_large_is_infinite(string width)
    {
        float[] numbers = [0, float.NegativeInfinity, -1e30f, -104.5f, 89, 1e30f, float.PositiveInfinity, float.NaN, -0f, -88, -100, -103, 1, -1, 5, 6];
        float[] results = Widths[width](numbers);
        Assert.Equal([1, 0, 0, 0, float.PositiveInfinity, float.PositiveInfinity, float.PositiveInfinity, float.NaN, 1], results[..9]);

        // Below the smallest normal number a unit is always the same.
        for (int i = 9; i < 12; i++) Assert.Equal(Math.Exp(numbers[i]), results[i], 2.0 * float.Epsilon);
    }

    private static float[] Of<TLanes, TVector>(float[] numbers)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        float[] results = new float[numbers.Length];
        fixed (float* source = numbers, target = results)
            for (int i = 0; i < numbers.Length; i += TLanes.Count) TLanes.Store(Exponential<TLanes, TVector>.Of(TLanes.Load(source + i)), target + i);
        return results;
    }
}
