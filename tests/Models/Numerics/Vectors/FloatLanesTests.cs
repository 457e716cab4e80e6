using System.Runtime.Intrinsics;

namespace MLComponents.Models.Tests;

public unsafe class FloatLanesTests
{
    [Fact]
    public void Exponentials_are_within_rounding_of_the_exact_ones()
    {
        for (float x = -87; x < 88; x += 0.0137f)
        {
            double exact = Math.Exp(x);
            Assert.InRange(FloatLanes.Exp(Vector256.Create(x))[5] / exact, 1 - 3e-7, 1 + 3e-7);
        }
    }

    [Theory]
    [InlineData(float.NegativeInfinity, 0)]
    [InlineData(-1000, 0)]
    [InlineData(0, 1)]
    [InlineData(89, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Exponentials_at_the_edges_are_what_they_are_said_to_be(float x, float expected) => Assert.Equal(expected, FloatLanes.Exp(Vector256.Create(x))[0]);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    public void Few_numbers_are_read_and_written_without_their_neighbours(int count)
    {
        float[] source = [1, 2, 3, 4, 5, 6, 7, 8], target = new float[9];
        var rounded = new ushort[9];
        fixed (float* from = source, to = target)
        fixed (ushort* half = rounded)
        {
            FloatLanes.StoreAs(FloatLanes.LoadAs(from, count), to, count);
            FloatLanes.StoreAs(FloatLanes.LoadAs(from, count), half, count);
            for (int i = 0; i < 8; i++) Assert.Equal(i < count ? source[i] : 0, FloatLanes.LoadAs(half, count)[i]);
        }

        for (int i = 0; i < 9; i++) Assert.Equal(i < count ? source[i] : 0, target[i]);
        Assert.Equal(0, rounded[count]);
    }
}
