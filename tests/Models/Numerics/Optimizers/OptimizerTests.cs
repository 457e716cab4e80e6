using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What holds for every optimizer.</summary>
public class OptimizerTests
{
    public static TheoryData<string> Names => [.. OptimizerSamples.Names];

    public static TheoryData<string> OperatorNames => [.. OptimizerSamples.Names.Where(name => name != "AdamW8Bit")];

    public static TheoryData<string, ScalarType, bool> Forms => [.. OptimizerSamples.Names.SelectMany(name => ((string, ScalarType, bool)[])
        [(name, ScalarType.Float32, true), (name, ScalarType.BFloat16, true), (name, ScalarType.BFloat16, false)])];

    [Theory]
    [MemberData(nameof(OperatorNames))]
    public void The_fused_step_equals_its_twin_of_tensor_operators(string name)
    {
        using var scope = NewDisposeScope();
        Parameter[] fused = OptimizerSamples.Parameters(ScalarType.Float32), twin = OptimizerSamples.Parameters(ScalarType.Float32);
        using Optimizer optimizer = OptimizerSamples.Create(name, Groups(fused)), operators = OptimizerSamples.Create(name, Groups(twin));
        operators.UsesOperators = true;

        OptimizerSamples.Run(optimizer, fused, 0, 4);
        OptimizerSamples.Run(operators, twin, 0, 4);

        foreach ((Parameter actual, Parameter expected) in fused.Zip(twin)) TensorAssert.Within(expected, actual, 1e-5, name);
        foreach ((var actual, var expected) in optimizer.State.Zip(operators.State)) TensorAssert.Within(expected.Value, actual.Value, 1e-5, actual.Key);
    }

    [Theory]
    [MemberData(nameof(OperatorNames))]
    public void Stochastic_rounding_stays_at_a_spacing_from_its_twin(string name)
    {
        using var scope = NewDisposeScope();
        Parameter[] fused = OptimizerSamples.Parameters(ScalarType.BFloat16), twin = OptimizerSamples.Parameters(ScalarType.BFloat16);
        using Optimizer optimizer = OptimizerSamples.Create(name, Groups(fused), masterWeights: false), operators = OptimizerSamples.Create(name, Groups(twin), masterWeights: false);
        operators.UsesOperators = true;

        OptimizerSamples.Run(optimizer, fused, 0, 1);
        OptimizerSamples.Run(operators, twin, 0, 1);

        foreach ((Parameter actual, Parameter expected) in fused.Zip(twin))
        {
            Tensor wide = expected.to_type(ScalarType.Float32), difference = (actual.to_type(ScalarType.Float32) - wide).abs();
            Assert.True((difference <= wide.abs() / 64 + 1e-3).all().item<bool>(), $"largest difference {difference.max().item<float>()}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Master_weights_take_the_steps_of_float32(string name)
    {
        using var scope = NewDisposeScope();
        Parameter[] rounded = OptimizerSamples.Parameters(ScalarType.BFloat16);
        Parameter[] wide = [.. rounded.Select(parameter => new Parameter(parameter.to_type(ScalarType.Float32)))];
        using Optimizer optimizer = OptimizerSamples.Create(name, Groups(rounded)), wideOptimizer = OptimizerSamples.Create(name, Groups(wide));
        for (int step = 0; step < 10; step++)
        {
            foreach ((Parameter parameter, Parameter twin) in rounded.Zip(wide))
            {
                parameter.grad = randn(parameter.shape).bfloat16();
                twin.grad = parameter.grad!.to_type(ScalarType.Float32);
            }

            optimizer.Step(1e-5); // far below what a bfloat16 weight can hold in one step
            wideOptimizer.Step(1e-5);
        }

        foreach ((Parameter parameter, Parameter twin) in rounded.Zip(wide)) Assert.True(twin.bfloat16().eq(parameter).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_restored_optimizer_goes_on_with_the_same_bits(string name, ScalarType dtype, bool masterWeights)
    {
        using var scope = NewDisposeScope();
        Parameter[] whole = OptimizerSamples.Parameters(dtype), first = OptimizerSamples.Parameters(dtype);
        using Optimizer uninterrupted = OptimizerSamples.Create(name, Groups(whole), masterWeights, seed: 5), killed = OptimizerSamples.Create(name, Groups(first), masterWeights, seed: 5);
        OptimizerSamples.Run(uninterrupted, whole, 0, 6);
        OptimizerSamples.Run(killed, first, 0, 3);

        Dictionary<string, Tensor> saved = killed.State.ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        Parameter[] second = [.. first.Select(parameter => new Parameter(parameter.detach().clone()))];
        using Optimizer resumed = OptimizerSamples.Create(name, Groups(second), masterWeights, seed: 5);
        resumed.Restore(killed.StepCount, saved);
        OptimizerSamples.Run(resumed, second, 3, 6);

        Assert.Equal(OptimizerSamples.Values(whole), OptimizerSamples.Values(second));
        Assert.Equal(6, resumed.StepCount);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void The_bits_do_not_depend_on_the_number_of_threads(string name, ScalarType dtype, bool masterWeights)
    {
        float[] Run(int threads)
        {
            using var scope = NewDisposeScope();
            int before = get_num_threads();
            set_num_threads(threads);
            try
            {
                Parameter[] parameters = OptimizerSamples.Parameters(dtype);
                using Optimizer optimizer = OptimizerSamples.Create(name, Groups(parameters), masterWeights, seed: 5);
                OptimizerSamples.Run(optimizer, parameters, 0, 2);
                return OptimizerSamples.Values(parameters);
            }
            finally
            {
                set_num_threads(before);
            }
        }

        Assert.Equal(Run(1), Run(4));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Stochastic_rounding_changes_with_the_seed(string name)
    {
        float[] Run(int seed)
        {
            using var scope = NewDisposeScope();
            Parameter[] parameters = OptimizerSamples.Parameters(ScalarType.BFloat16);
            using Optimizer optimizer = OptimizerSamples.Create(name, Groups(parameters), masterWeights: false, seed);
            OptimizerSamples.Run(optimizer, parameters, 0, 1);
            return OptimizerSamples.Values(parameters);
        }

        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void The_memory_foretold_is_the_memory_taken(string name, ScalarType dtype, bool masterWeights)
    {
        using var scope = NewDisposeScope();
        Parameter[] parameters = OptimizerSamples.Parameters(dtype);

        long foretold = Optimizer.BytesFor(Groups(parameters), masterWeights, OptimizerSamples.Layout(name));

        using Optimizer optimizer = OptimizerSamples.Create(name, Groups(parameters), masterWeights);
        Assert.Equal(optimizer.StateBytes, foretold);
        bool hasMasters = masterWeights && dtype == ScalarType.BFloat16;
        Assert.Equal(name == "SGD" && !hasMasters, foretold == 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_learning_rate_of_a_group_is_scaled(string name)
    {
        using var scope = NewDisposeScope();
        Parameter[] scaled = OptimizerSamples.Parameters(ScalarType.Float32), plain = OptimizerSamples.Parameters(ScalarType.Float32);
        using Optimizer optimizer = OptimizerSamples.Create(name, [new ParameterGroup(scaled, OptimizerSamples.Decay) { LearningRateScale = 0.25 }]);
        using Optimizer reference = OptimizerSamples.Create(name, Groups(plain));

        OptimizerSamples.Run(optimizer, scaled, 0, 2, learningRate: 0.04);
        OptimizerSamples.Run(reference, plain, 0, 2, learningRate: 0.01);

        Assert.Equal(OptimizerSamples.Values(plain), OptimizerSamples.Values(scaled));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_step_leaves_no_tensor_behind(string name)
    {
        using var scope = NewDisposeScope();
        Parameter[] parameters = OptimizerSamples.Parameters(ScalarType.BFloat16);
        using Optimizer optimizer = OptimizerSamples.Create(name, Groups(parameters));
        OptimizerSamples.Run(optimizer, parameters, 0, 1);
        foreach (Parameter parameter in parameters) parameter.grad = zeros_like(parameter);
        using (NewDisposeScope()) optimizer.Step(0.01); // whatever is made once
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        optimizer.Step(0.01);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parameters_without_gradient_stay_as_they_are(string name)
    {
        using var scope = NewDisposeScope();
        var frozen = new Parameter(ones(10));
        using Optimizer optimizer = OptimizerSamples.Create(name, Groups([frozen]));
        optimizer.Step(0.1);
        Assert.True(frozen.eq(1).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_gradient_that_is_not_a_number_shows_in_the_weights(string name)
    {
        using var scope = NewDisposeScope();
        var weights = new Parameter(ones(5000));
        using Optimizer optimizer = OptimizerSamples.Create(name, Groups([weights]));
        weights.grad = full(5000, float.NaN);
        optimizer.Step(0.1);
        optimizer.Step(0.1);
        Assert.True(weights.isnan().all().item<bool>());
    }

    [Fact]
    public void Another_optimizers_state_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        Parameter[] parameters = OptimizerSamples.Parameters(ScalarType.Float32);
        using var lion = new Lion(Groups(parameters), masterWeights: true);
        using var adam = new FusedAdamW(Groups(parameters), masterWeights: true);
        using var other = new Lion(Groups([new Parameter(zeros(3)), parameters[1], parameters[2]]), masterWeights: true);

        Assert.Contains("'0.exp_avg_sq'", Assert.Throws<ArgumentException>(() => lion.Restore(1, new Dictionary<string, Tensor>(adam.State))).Message);
        Assert.Contains("no '0.exp_avg_sq'", Assert.Throws<ArgumentException>(() => adam.Restore(1, new Dictionary<string, Tensor>(lion.State))).Message);
        Assert.Contains("'0.exp_avg' is Float32 [3]; expected Float32 [300, 257]", Assert.Throws<ArgumentException>(() => lion.Restore(1, new Dictionary<string, Tensor>(other.State))).Message);
        Assert.Equal(0, lion.StepCount);
    }

    private static ParameterGroup[] Groups(Parameter[] parameters) => [new ParameterGroup(parameters, OptimizerSamples.Decay)];
}
