namespace MLComponents.Models.Tests;

public class BFloat16ComputeTests
{
    [Theory]
    [InlineData(null, null, true, true)]
    [InlineData(null, null, false, false)]
    [InlineData(null, "AVX2", true, false)]
    [InlineData(null, "AVX512_CORE_VNNI", true, false)]
    [InlineData(null, "AVX512_CORE_BF16", true, true)]
    [InlineData(null, "AVX512_CORE_AMX", true, true)]
    [InlineData(null, "ALL", true, true)]
    [InlineData(null, "ALL", false, false)]
    [InlineData("native", "AVX2", false, true)]
    [InlineData("float32", null, true, false)]
    public void The_backends_kernels_compute_where_processor_and_settings_allow(string? wish, string? largest, bool isFast, bool expected) =>
        Assert.Equal(expected, BFloat16Compute.DecideForCpu(wish, largest, isFast));

    [Fact]
    public void An_unknown_wish_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidOperationException>(() => BFloat16Compute.DecideForCpu("fast", null, true));
        Assert.Contains("'fast'", error.Message);
        Assert.Contains("MLCOMPONENTS_BFLOAT16", error.Message);
    }
}
