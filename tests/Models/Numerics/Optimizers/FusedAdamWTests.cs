using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class FusedAdamWTests
{
    private const double LearningRate = 0.01, Decay = 0.1;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(1000)]
    [InlineData(200_003)] // several chunks and a tail
    public void Float32_steps_equal_those_of_torch(int size)
    {
        using var scope = NewDisposeScope();
        manual_seed(size);
        Tensor start = randn(size);
        var expected = new Parameter(start.clone());
        var actual = new Parameter(start.clone());
        using var reference = optim.AdamW([expected], lr: LearningRate, weight_decay: Decay);
        using var optimizer = new FusedAdamW([new ParameterGroup([actual], Decay)], masterWeights: true);
        for (int step = 0; step < 5; step++)
        {
            Tensor gradient = randn(size);
            expected.grad = gradient.clone();
            actual.grad = gradient.clone();
            reference.step();
            optimizer.Step(LearningRate);
        }

        Assert.True((expected - actual).abs().max().item<float>() < 1e-6f);
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.Float64)]
    public void Parameters_of_other_element_types_are_refused_by_name(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var parameter = new Parameter(zeros(3, dtype: type));

        var exception = Assert.Throws<ArgumentException>(() => new FusedAdamW([new ParameterGroup([parameter], Decay)], masterWeights: true));

        Assert.Contains($"is {type}; expected Float32 or BFloat16", exception.Message);
    }

    [Fact]
    public void Master_weights_follow_float32_and_the_rounded_copy_is_the_nearest()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        Tensor start = randn(3000).bfloat16();
        var wide = new Parameter(start.to_type(ScalarType.Float32));
        var rounded = new Parameter(start.clone());
        using var wideOptimizer = new FusedAdamW([new ParameterGroup([wide], Decay)], masterWeights: true);
        using var optimizer = new FusedAdamW([new ParameterGroup([rounded], Decay)], masterWeights: true);
        for (int step = 0; step < 20; step++)
        {
            Tensor gradient = randn(3000).bfloat16();
            wide.grad = gradient.to_type(ScalarType.Float32);
            rounded.grad = gradient.clone();
            wideOptimizer.Step(1e-5); // far below what a bfloat16 weight can hold in one step
            optimizer.Step(1e-5);
        }

        Assert.True(wide.bfloat16().eq(rounded).all().item<bool>());
    }

    [Fact]
    public void Stochastic_rounding_moves_the_mean_by_what_was_asked()
    {
        using var scope = NewDisposeScope();
        const int size = 100_000;
        var weights = new Parameter(full(size, 1f).bfloat16());
        using var optimizer = new FusedAdamW([new ParameterGroup([weights], 0)], masterWeights: false, seed: 3);
        for (int step = 0; step < 10; step++)
        {
            weights.grad = ones(size).bfloat16();
            optimizer.Step(1e-4); // a plain bfloat16 update would leave every weight at 1: the spacing below 1 is 1/256
        }

        double moved = 1 - weights.to_type(ScalarType.Float32).mean().ToDouble();
        Assert.InRange(moved, 0.9e-3, 1.1e-3);
        Assert.Equal(1f, weights.to_type(ScalarType.Float32).max().item<float>()); // most weights have not moved at all
    }

    [Fact]
    public void Stochastic_rounding_repeats_with_its_seed_and_changes_with_it()
    {
        static float[] Run(int seed)
        {
            using var scope = NewDisposeScope();
            manual_seed(5);
            var weights = new Parameter(randn(70_001).bfloat16());
            using var optimizer = new FusedAdamW([new ParameterGroup([weights], 0)], masterWeights: false, seed: seed);
            for (int step = 0; step < 3; step++)
            {
                weights.grad = randn(70_001).bfloat16();
                optimizer.Step(1e-3);
            }

            return weights.to_type(ScalarType.Float32).data<float>().ToArray();
        }

        float[] first = Run(1);
        Assert.Equal(first, Run(1));
        Assert.NotEqual(first, Run(2));
    }

    [Fact]
    public void Parameters_without_gradient_stay_as_they_are()
    {
        using var scope = NewDisposeScope();
        var frozen = new Parameter(ones(10));
        using var optimizer = new FusedAdamW([new ParameterGroup([frozen], Decay)], masterWeights: true);
        optimizer.Step(LearningRate);
        Assert.True(frozen.eq(1).all().item<bool>());
    }
}
