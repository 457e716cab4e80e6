namespace MLComponents.Models.Tests;

public class BFloat16ComputeTests
{
    [Theory]
    [InlineData(null, null, false, true, false, true)]
    [InlineData(null, null, false, true, true, false)]
    [InlineData(null, null, true, true, true, true)]
    [InlineData(null, null, false, false, false, false)]
    [InlineData(null, "AVX2", false, true, false, false)]
    [InlineData(null, "AVX512_CORE_VNNI", false, true, false, false)]
    [InlineData(null, "AVX512_CORE_BF16", false, true, false, true)]
    [InlineData(null, "AVX512_CORE_BF16", true, true, true, false)]
    [InlineData(null, "AVX512_CORE_AMX", true, true, true, true)]
    [InlineData(null, "AVX512_CORE_AMX", false, true, false, true)]
    [InlineData(null, "ALL", false, true, false, true)]
    [InlineData(null, "ALL", false, false, false, false)]
    [InlineData("native", "AVX2", false, false, true, true)]
    [InlineData("float32", null, true, true, false, false)]
    public void The_backends_kernels_compute_where_they_are_fast_and_allowed(string? wish, string? largest, bool hasAmx, bool hasAvx512, bool isIntel, bool expected) =>
        Assert.Equal(expected, BFloat16Compute.DecideForCpu(wish, largest, (hasAmx, hasAvx512, isIntel)));

    [Fact]
    public void An_unknown_wish_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidOperationException>(() => BFloat16Compute.DecideForCpu("fast", null, (true, true, true)));
        Assert.Contains("'fast'", error.Message);
        Assert.Contains("MLCOMPONENTS_BFLOAT16", error.Message);
    }
}
