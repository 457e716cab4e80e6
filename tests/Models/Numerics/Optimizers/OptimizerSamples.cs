using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Every optimizer, and steps of them on random gradients.</summary>
internal static class OptimizerSamples
{
    public const double Decay = 0.1;

    public static string[] Names => ["AdamW", "AdamW8Bit", "Adafactor", "SGD", "SGD momentum", "SGD nesterov", "Lion"];

    public static Optimizer Create(string name, IEnumerable<ParameterGroup> groups, bool masterWeights = true, int seed = 0) => name switch
    {
        "AdamW" => new FusedAdamW(groups, masterWeights, seed: seed),
        "AdamW8Bit" => new QuantizedAdamW(groups, masterWeights, seed: seed),
        "Adafactor" => new Adafactor(groups, masterWeights, seed: seed),
        "SGD" => new StochasticGradientDescent(groups, masterWeights, seed: seed),
        "SGD momentum" => new StochasticGradientDescent(groups, masterWeights, momentum: 0.9, seed: seed),
        "SGD nesterov" => new StochasticGradientDescent(groups, masterWeights, momentum: 0.9, nesterov: true, seed: seed),
        "Lion" => new Lion(groups, masterWeights, seed: seed),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such optimizer."),
    };

    public static Func<Parameter, IReadOnlyList<StateTensor>> Layout(string name) => name switch
    {
        "AdamW" => FusedAdamW.Layout,
        "AdamW8Bit" => QuantizedAdamW.Layout,
        "Adafactor" => Adafactor.Layout,
        "SGD" => _ => [],
        "Lion" => Lion.Layout,
        _ => StochasticGradientDescent.Layout,
    };

    /// <summary>A large matrix, one with a tail in every row, and a vector; the same for the same seed.</summary>
    public static Parameter[] Parameters(ScalarType dtype, int seed = 1)
    {
        using var generator = new Generator((ulong)seed);
        return [.. ((long[][])[[300, 257], [11, 13], [70_003]]).Select(shape => new Parameter(randn(shape, generator: generator).to_type(dtype)))];
    }

    /// <summary>Some steps, with gradients that depend on the number of the step.</summary>
    public static void Run(Optimizer optimizer, Parameter[] parameters, int first, int end, double learningRate = 0.01, double scale = 0.5)
    {
        for (int step = first; step < end; step++)
        {
            using var generator = new Generator((ulong)(1000 + step));
            foreach (Parameter parameter in parameters) parameter.grad = randn(parameter.shape, generator: generator).to_type(parameter.dtype);
            optimizer.Step(learningRate, scale);
        }
    }

    public static float[] Values(IEnumerable<Tensor> tensors) => [.. tensors.SelectMany(tensor => tensor.to_type(ScalarType.Float32).reshape(-1).data<float>().ToArray())];
}
