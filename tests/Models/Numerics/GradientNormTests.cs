using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class GradientNormTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void The_gradient_norm_equals_that_of_torch_and_shows_not_a_number(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        Tensor gradient = randn(70_003).to_type(dtype);
        double expected = gradient.to_type(ScalarType.Float64).norm().ToDouble();
        Assert.Equal(expected, Math.Sqrt(GradientNorm.SumOfSquares(gradient)), expected * 1e-5);
        gradient[70_002] = float.NaN;
        Assert.True(double.IsNaN(GradientNorm.SumOfSquares(gradient)));
    }
}
