using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Comparisons with the tolerances of the fixtures' README.</summary>
internal static class TensorAssert
{
    /// <summary>The part of the scale that logits, hidden states and gradients may be off by.</summary>
    public const double Tolerance = 1e-4;

    /// <summary>The largest absolute value.</summary>
    public static double Largest(Tensor tensor) => tensor.NumberOfElements == 0 ? 0 : tensor.to(ScalarType.Float64).abs().max().item<double>();

    /// <summary>Logits and hidden states: off by at most 1e-4 times the larger of 1 and the largest expected value.</summary>
    public static void Close(Tensor expected, Tensor actual, string what) => Within(expected, actual, Tolerance * Math.Max(1, Largest(expected)), what);

    /// <summary>Gradients: off by at most 1e-4 times the largest value of the tensor.</summary>
    public static void CloseGradient(Tensor expected, Tensor actual, string what) => Within(expected, actual, (Tolerance * Largest(expected)) + 1e-9, what);

    /// <summary>Off by at most a number.</summary>
    public static void Within(Tensor expected, Tensor actual, double limit, string what)
    {
        using var scope = NewDisposeScope();
        Assert.True(
            expected.shape.AsSpan().SequenceEqual(actual.shape), $"{what}: expected shape [{string.Join(", ", expected.shape)}], found [{string.Join(", ", actual.shape)}].");
        double difference = Largest(expected.to(ScalarType.Float64) - actual.to(ScalarType.Float64));
        Assert.True(difference <= limit, $"{what}: the largest difference is {difference:E2}, allowed are {limit:E2}.");
    }
}
