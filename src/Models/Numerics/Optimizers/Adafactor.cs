using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Adafactor: of the squared gradients of a matrix only the means of rows and columns are remembered, which is next to no memory.</summary>
/// <remarks>
/// Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (2018), in the form of Hugging Face's
/// <c>Adafactor(scale_parameter=False, relative_step=False)</c>, as its trainer uses it. At step t, with β = 1 − t^(−0.8): R ← β R + (1 − β) mean over columns of
/// (G² + ε), C the same over rows; U = G · √(mean(R) / R) / √C; U ← U / max(1, rms(U) / d); P ← P − η λ P − η U. A vector keeps the mean of its squares itself.
/// </remarks>
internal sealed class Adafactor : Optimizer
{
    private readonly double _epsilon, _clipThreshold, _decayRate;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="groups">Parameters with their weight decay; vectors and matrices.</param>
    /// <param name="masterWeights">Whether bfloat16 parameters get a float32 master copy; otherwise they are rounded stochastically.</param>
    /// <param name="epsilon">ε, added to squared gradients.</param>
    /// <param name="clipThreshold">d, the root mean square that an update has at most.</param>
    /// <param name="decayRate">The exponent of t in β, below 0.</param>
    /// <param name="seed">The seed of stochastic rounding.</param>
    public Adafactor(IEnumerable<ParameterGroup> groups, bool masterWeights, double epsilon = 1e-30, double clipThreshold = 1, double decayRate = -0.8, int seed = 0)
        : base(groups, masterWeights, seed, Layout) => (_epsilon, _clipThreshold, _decayRate) = (epsilon, clipThreshold, decayRate);

    /// <summary>What is remembered of a parameter: means of squared gradients.</summary>
    internal static IReadOnlyList<StateTensor> Layout(Parameter parameter) => parameter.ndim switch
    {
        0 or 1 => [StateTensor.Float32Like("exp_avg_sq", parameter)],
        2 => [new("exp_avg_sq_row", [parameter.shape[0]], ScalarType.Float32), new("exp_avg_sq_col", [parameter.shape[1]], ScalarType.Float32)],
        _ => throw new ArgumentException($"A parameter has shape [{string.Join(", ", parameter.shape)}]; Adafactor is there for vectors and matrices."),
    };

    private double Beta => 1 - Math.Pow(StepCount, _decayRate);

    /// <inheritdoc/>
    private protected override void StepFused(IReadOnlyList<FusedUpdate> updates)
    {
        foreach (FusedUpdate update in updates)
            if (update.Length > 0) Step(update);
    }

    /// <inheritdoc/>
    private protected override Tensor Advance(ParameterUpdate update, Tensor weight, Tensor gradient)
    {
        Tensor squares = gradient.square() + _epsilon;
        Tensor change;
        if (weight.ndim < 2)
        {
            change = update.Item.State[0].mul_(Beta).add_(squares, 1 - Beta).rsqrt() * gradient;
        }
        else
        {
            Tensor rows = update.Item.State[0].mul_(Beta).add_(squares.mean([-1]), 1 - Beta);
            Tensor columns = update.Item.State[1].mul_(Beta).add_(squares.mean([0]), 1 - Beta);
            change = (rows / rows.mean()).rsqrt().unsqueeze(-1) * columns.rsqrt() * gradient;
        }

        change = change / (change.square().mean().sqrt() / _clipThreshold).clamp_min(1);
        return (weight * (1 - (update.LearningRate * update.WeightDecay))) - (change * update.LearningRate);
    }

    /// <summary>A vector is a matrix of one row, whose columns' means are the squares themselves.</summary>
    private unsafe void Step(FusedUpdate update)
    {
        bool isMatrix = update.Update.Item.Parameter.ndim == 2;
        long rows = isMatrix ? update.Update.Item.Parameter.shape[0] : 1;
        int width = (int)(update.Length / rows);
        long rowsOfChunk = Math.Max(1, TensorSpans.ChunkSize / width), chunks = (rows + rowsOfChunk - 1) / rowsOfChunk;
        (float beta, float epsilon) = ((float)Beta, (float)_epsilon);
        var rowFactors = new float[rows];
        var columnFactors = new float[width];
        var columnSums = new float[chunks * width];
        var squares = new double[chunks];
        fixed (float* sums = columnSums, columns = columnFactors)
        {
            (nint sumsAddress, nint columnsAddress) = ((nint)sums, (nint)columns);
            ForEachRow((chunk, row) =>
            {
                var equation = new SquareSums(width, epsilon, (float*)sumsAddress + (chunk * width), new StrongBox<float>());
                update.Run(equation, row * width);
                if (isMatrix) Average(update.State(0, row), equation.Total.Value / width);
            });

            float* means = update.State(isMatrix ? 1 : 0);
            for (int column = 0; column < width; column++)
            {
                double sum = 0;
                for (long chunk = 0; chunk < chunks; chunk++) sum += columnSums[(chunk * width) + column];
                Average(means + column, (float)(sum / rows));
                columnFactors[column] = 1 / MathF.Sqrt(means[column]);
            }

            double mean = 0;
            for (long row = 0; isMatrix && row < rows; row++) mean += *update.State(0, row) / rows;
            for (long row = 0; row < rows; row++) rowFactors[row] = isMatrix ? (float)Math.Sqrt(mean / *update.State(0, row)) : 1;

            ForEachRow((chunk, row) =>
            {
                var equation = new ChangeSquares(width, rowFactors[row], (float*)columnsAddress, new StrongBox<float>());
                update.Run(equation, row * width);
                squares[chunk] += equation.Total.Value;
            });

            double root = Math.Sqrt(squares.Sum() / update.Length), rate = update.Update.LearningRate;
            float step = (float)(rate / Math.Max(1, root / _clipThreshold)), decay = (float)(1 - (rate * update.Update.WeightDecay));
            ForEachRow((_, row) => update.Run(new Change(width, rowFactors[row] * step, (float*)columnsAddress, decay), row * width));
        }

        void ForEachRow(Action<long, long> body) => TensorSpans.ForEach(chunks, chunk =>
        {
            for (long row = chunk * rowsOfChunk; row < Math.Min(rows, (chunk + 1) * rowsOfChunk); row++) body(chunk, row);
        });

        void Average(float* mean, float value) => *mean = (beta * *mean) + ((1 - beta) * value);
    }

    /// <summary>Adds g² + ε of a row to the sums of the columns, and all of them to the total.</summary>
    private readonly unsafe struct SquareSums(int width, float epsilon, float* columns, StrongBox<float> total) : IWeightEquation
    {
        public StrongBox<float> Total => total;

        public void Run<TWeights>(TWeights weights)
            where TWeights : struct, IWeightLanes
        {
            Vector256<float> sum = default;
            for (int i = 0; i < width; i += FloatLanes.Count)
            {
                int count = Math.Min(FloatLanes.Count, width - i);
                Vector256<float> gradient = weights.Gradients(i, count), square = gradient * gradient;
                FloatLanes.Store(FloatLanes.Load(columns + i, count) + square + Vector256.Create(epsilon), columns + i, count);
                sum += square;
            }

            total.Value = Vector256.Sum(sum) + (width * epsilon);
        }
    }

    /// <summary>Σ U² of a row.</summary>
    private readonly unsafe struct ChangeSquares(int width, float rowFactor, float* columnFactors, StrongBox<float> total) : IWeightEquation
    {
        public StrongBox<float> Total => total;

        public void Run<TWeights>(TWeights weights)
            where TWeights : struct, IWeightLanes
        {
            Vector256<float> sum = default;
            for (int i = 0; i < width; i += FloatLanes.Count)
            {
                int count = Math.Min(FloatLanes.Count, width - i);
                Vector256<float> change = weights.Gradients(i, count) * FloatLanes.Load(columnFactors + i, count) * rowFactor;
                sum += change * change;
            }

            total.Value = Vector256.Sum(sum);
        }
    }

    /// <summary>p ← p (1 − η λ) − η U of a row.</summary>
    private readonly unsafe struct Change(int width, float rowFactor, float* columnFactors, float decay) : IWeightEquation
    {
        public void Run<TWeights>(TWeights weights)
            where TWeights : struct, IWeightLanes
        {
            for (int i = 0; i < width; i += FloatLanes.Count)
            {
                int count = Math.Min(FloatLanes.Count, width - i);
                Vector256<float> change = weights.Gradients(i, count) * FloatLanes.Load(columnFactors + i, count) * rowFactor;
                weights.Store((weights.Weights(i, count) * decay) - change, i, count);
            }
        }
    }
}
