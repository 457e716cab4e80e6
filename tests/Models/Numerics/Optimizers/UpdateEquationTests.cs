using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Optimizers against PyTorch's own, and against their papers' equations written out number by number.</summary>
public class UpdateEquationTests
{
    private const int Steps = 5;
    private const double LearningRate = 0.01;
    private const double Decay = OptimizerSamples.Decay;

    [Theory]
    [InlineData(0, false)]
    [InlineData(0.9, false)]
    [InlineData(0.9, true)]
    public void Gradient_descent_equals_that_of_torch(double momentum, bool nesterov)
    {
        using var scope = NewDisposeScope();
        var expected = new Parameter(randn(1003));
        var actual = new Parameter(expected.detach().clone());
        using var reference = optim.SGD([expected], LearningRate, momentum, 0, Decay, nesterov);
        using var optimizer = new StochasticGradientDescent([new ParameterGroup([actual], Decay)], masterWeights: true, momentum, nesterov);
        for (int step = 0; step < Steps; step++)
        {
            Tensor gradient = randn(1003);
            expected.grad = gradient.clone();
            actual.grad = gradient.clone();
            reference.step();
            optimizer.Step(LearningRate);
        }

        TensorAssert.Within(expected, actual, 1e-6, "weights");
    }

    [Fact]
    public void Lion_equals_its_equation()
    {
        using var scope = NewDisposeScope();
        const int size = 77;
        var parameter = new Parameter(randn(size));
        double[] weights = Doubles(parameter), mean = new double[size];
        using var optimizer = new Lion([new ParameterGroup([parameter], Decay)], masterWeights: true);
        for (int step = 0; step < Steps; step++)
        {
            Tensor gradient = randn(size);
            gradient[3] = 0; // and so its direction
            parameter.grad = gradient;
            optimizer.Step(LearningRate);
            double[] g = Doubles(gradient);
            for (int i = 0; i < size; i++)
            {
                weights[i] -= LearningRate * (Math.Sign((0.9 * mean[i]) + (0.1 * g[i])) + (Decay * weights[i]));
                mean[i] = (0.99 * mean[i]) + (0.01 * g[i]);
            }
        }

        Close(weights, parameter);
    }

    [Theory]
    [InlineData(0.01)] // small gradients
    [InlineData(100.0)]
    public void Adafactor_equals_its_equation(double size)
    {
        using var scope = NewDisposeScope();
        const int rows = 23, columns = 19;
        Parameter matrix = new(randn(rows, columns)), vector = new(randn(columns));
        double[] m = Doubles(matrix), v = Doubles(vector), rowMeans = new double[rows], columnMeans = new double[columns], squares = new double[columns];
        using var optimizer = new Adafactor([new ParameterGroup([matrix, vector], Decay)], masterWeights: true);
        for (int step = 1; step <= Steps; step++)
        {
            matrix.grad = randn(rows, columns) * size * step;
            vector.grad = randn(columns) * size / step;
            double[] g = Doubles(matrix.grad!), h = Doubles(vector.grad!);
            optimizer.Step(LearningRate);
            double beta = 1 - Math.Pow(step, -0.8);
            for (int i = 0; i < rows; i++) rowMeans[i] = (beta * rowMeans[i]) + ((1 - beta) * Enumerable.Range(0, columns).Average(j => (g[(i * columns) + j] * g[(i * columns) + j]) + 1e-30));
            for (int j = 0; j < columns; j++) columnMeans[j] = (beta * columnMeans[j]) + ((1 - beta) * Enumerable.Range(0, rows).Average(i => (g[(i * columns) + j] * g[(i * columns) + j]) + 1e-30));
            double mean = rowMeans.Average();
            Apply(m, [.. g.Select((x, k) => x / Math.Sqrt(rowMeans[k / columns] / mean) / Math.Sqrt(columnMeans[k % columns]))]);
            for (int j = 0; j < columns; j++) squares[j] = (beta * squares[j]) + ((1 - beta) * ((h[j] * h[j]) + 1e-30));
            Apply(v, [.. h.Select((x, j) => x / Math.Sqrt(squares[j]))]);
        }

        Close(m, matrix);
        Close(v, vector);

        static void Apply(double[] weights, double[] change)
        {
            double clip = Math.Max(1, Math.Sqrt(change.Average(x => x * x)));
            for (int i = 0; i < weights.Length; i++) weights[i] = (weights[i] * (1 - (LearningRate * Decay))) - (LearningRate * change[i] / clip);
        }
    }

    [Fact]
    public void Adafactor_refuses_what_is_neither_vector_nor_matrix()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("[2, 3, 4]", Assert.Throws<ArgumentException>(() => new Adafactor([new ParameterGroup([new Parameter(zeros(2, 3, 4))], 0)], masterWeights: true)).Message);
    }

    [Theory]
    [InlineData(-0.1, false)]
    [InlineData(1.0, false)]
    [InlineData(double.NaN, false)]
    [InlineData(0.0, true)]
    public void Momentum_that_cannot_be_is_refused(double momentum, bool nesterov) =>
        Assert.ThrowsAny<ArgumentException>(() => new StochasticGradientDescent([], masterWeights: true, momentum, nesterov));

    private static double[] Doubles(Tensor tensor) => tensor.detach().to(ScalarType.Float64).reshape(-1).data<double>().ToArray();

    private static void Close(double[] expected, Tensor actual) => TensorAssert.Within(tensor(expected).view(actual.shape).to(ScalarType.Float32), actual, 1e-5, "weights");
}
