using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class WeightAverageTests
{
    private const double Decay = 0.75;

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void The_average_equals_its_equation_and_is_given_back_rounded(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Parameter[] parameters = OptimizerSamples.Parameters(dtype);
        Tensor[] expected = [.. parameters.Select(parameter => parameter.detach().to(ScalarType.Float64))];
        using var average = new WeightAverage(parameters, Decay);
        for (int step = 0; step < 5; step++)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                using (no_grad()) parameters[i].add_(randn(parameters[i].shape).to_type(dtype));
                expected[i] = (expected[i] * Decay) + (parameters[i].detach().to(ScalarType.Float64) * (1 - Decay));
            }

            average.Update();
        }

        foreach ((Tensor actual, Tensor wanted) in average.Averages.Zip(expected)) TensorAssert.Within(wanted.to(ScalarType.Float32), actual, 1e-6, "average");
        average.CopyToParameters();
        foreach ((Parameter parameter, Tensor mean) in parameters.Zip(average.Averages)) Assert.True(parameter.eq(mean.to_type(dtype)).all().item<bool>());
        Assert.Equal(parameters.Sum(parameter => parameter.NumberOfElements * sizeof(float)), average.StateBytes);
    }

    [Fact]
    public void The_parameters_can_change_without_the_average()
    {
        using var scope = NewDisposeScope();
        var parameter = new Parameter(ones(3));
        using var average = new WeightAverage([parameter], Decay);
        using (no_grad()) parameter.zero_();
        Assert.Equal(3, average.Averages.Single().sum().item<float>());
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_decay_that_cannot_be_is_refused(double decay) => Assert.Throws<ArgumentOutOfRangeException>(() => new WeightAverage([], decay));
}
