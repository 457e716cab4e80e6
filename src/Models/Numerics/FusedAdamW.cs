using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// AdamW whose step is one pass over memory. bfloat16 weights are updated through a float32 master copy or by stochastic
/// rounding, never by a plain bfloat16 update, which loses every change below 1/256 of a weight.
/// </summary>
public sealed class FusedAdamW : IDisposable
{
    private const float SmallestNormal = 1.17549435e-38f;
    private const int MantissaBits = 7;

    private readonly List<State> _states = [];
    private readonly double _beta1, _beta2, _epsilon;
    private readonly uint _seed;
    private long _step;

    /// <summary>Creates the optimizer; its states start at zero and lie on the parameters' devices.</summary>
    /// <param name="groups">Parameters with their weight decay.</param>
    /// <param name="masterWeights">Whether bfloat16 parameters get a float32 master copy; otherwise they are rounded stochastically.</param>
    /// <param name="beta1">The decay of the gradients' mean, 0 to 1.</param>
    /// <param name="beta2">The decay of the squared gradients' mean, 0 to 1.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="seed">The seed of stochastic rounding.</param>
    /// <exception cref="ArgumentException">A parameter's elements are neither float32 nor bfloat16.</exception>
    public FusedAdamW(IEnumerable<ParameterGroup> groups, bool masterWeights, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, int seed = 0)
    {
        (_beta1, _beta2, _epsilon, _seed) = (beta1, beta2, epsilon, unchecked((uint)seed));
        try
        {
            foreach (ParameterGroup group in groups)
                foreach (Parameter parameter in group.Parameters)
                    _states.Add(new State(parameter, group.WeightDecay, masterWeights));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Steps done so far.</summary>
    public long StepCount => _step;

    /// <summary>The Euclidean norm of all gradients.</summary>
    public double GradientNorm() => Models.GradientNorm.Compute(_states.Select(s => s.Parameter));

    /// <summary>Forgets all gradients.</summary>
    public void ZeroGradients()
    {
        foreach (State state in _states)
        {
            using Tensor? gradient = state.Parameter.grad;
            state.Parameter.grad = null;
        }
    }

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="learningRate">The step's learning rate.</param>
    /// <param name="gradientScale">What gradients are multiplied with first: the factor of clipping.</param>
    public void Step(double learningRate, double gradientScale = 1)
    {
        using var noGradients = no_grad();
        _step++;
        double firstCorrection = 1 - Math.Pow(_beta1, _step), secondCorrection = 1 - Math.Pow(_beta2, _step);
        uint number = 0;
        foreach (State state in _states)
        {
            number++;
            using Tensor? gradient = state.Parameter.grad;
            if (gradient is null) continue;
            var kernel = new AdamWKernel(
                (float)(1 - learningRate * state.WeightDecay), (float)(learningRate / firstCorrection), (float)_beta1, (float)_beta2,
                (float)(1 / Math.Sqrt(secondCorrection)), (float)_epsilon, (float)gradientScale,
                unchecked(_seed * 0x01000193u ^ (uint)_step * 0x85EBCA6Bu ^ number * 0x9E3779B1u));
            if (state.RunsFused) StepFused(state, gradient, kernel);
            else StepByOperators(state, gradient, kernel);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (State state in _states) state.Dispose();
        _states.Clear();
    }

    private static unsafe void StepFused(State state, Tensor gradient, AdamWKernel kernel)
    {
        using Tensor contiguous = gradient.contiguous();
        nint weight = TensorSpans.AddressOf(state.Parameter), slope = TensorSpans.AddressOf(contiguous);
        nint first = TensorSpans.AddressOf(state.First), second = TensorSpans.AddressOf(state.Second);
        nint master = state.Master is null ? 0 : TensorSpans.AddressOf(state.Master);
        bool isFloat32 = state.Parameter.dtype == ScalarType.Float32;
        TensorSpans.ForEachChunk(state.Parameter.numel(), (start, count) =>
        {
            float* m = (float*)first + start, v = (float*)second + start;
            if (isFloat32) kernel.Float32((float*)weight + start, (float*)slope + start, m, v, count);
            else if (master != 0) kernel.Master((ushort*)weight + start, (float*)master + start, (ushort*)slope + start, m, v, count);
            else kernel.Stochastic((ushort*)weight + start, (ushort*)slope + start, m, v, count, unchecked((uint)start));
        });
    }

    /// <summary>The same step by tensor operators: what other devices run, and the twin that tests compare the fused step with.</summary>
    internal static void StepByOperators(State state, Tensor gradient, AdamWKernel kernel)
    {
        using var scope = NewDisposeScope();
        Tensor g = gradient.to_type(ScalarType.Float32) * kernel.GradientScale;
        state.First.mul_(kernel.Beta1).add_(g, 1 - kernel.Beta1);
        state.Second.mul_(kernel.Beta2).addcmul_(g, g, 1 - kernel.Beta2);
        Tensor denominator = state.Second.sqrt() * kernel.InverseRootCorrection + kernel.Epsilon;
        Tensor weight = state.Master ?? state.Parameter.to_type(ScalarType.Float32);
        Tensor updated = weight * kernel.Decay - state.First / denominator * kernel.StepSize;
        if (state.Master is not null) state.Master.copy_(updated);
        if (state.Parameter.dtype == ScalarType.Float32 || state.Master is not null) state.Parameter.copy_(updated);
        else state.Parameter.copy_(RoundStochastically(updated, kernel.RoundingSeed));
    }

    /// <summary>x/u is rounded down after a uniform number in [0, 1) is added, where u is the distance of neighbouring bfloat16 numbers at x.</summary>
    private static Tensor RoundStochastically(Tensor value, uint seed)
    {
        using var generator = new Generator(seed, value.device);
        Tensor uniform = rand(value.shape, dtype: ScalarType.Float32, device: value.device, generator: generator);
        Tensor spacing = (value.abs().clamp_min(SmallestNormal).log2().floor() - MantissaBits).exp2();
        return (value / spacing + uniform).floor() * spacing;
    }

    /// <summary>A parameter with its moments.</summary>
    internal sealed class State : IDisposable
    {
        public State(Parameter parameter, double weightDecay, bool masterWeights)
        {
            if (parameter.dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
                throw new ArgumentException($"A parameter's element type is {parameter.dtype}; expected Float32 or BFloat16. Load the model with one of them.", nameof(parameter));
            using var noGradients = no_grad();
            (Parameter, WeightDecay) = (parameter, weightDecay);
            First = zeros(parameter.shape, dtype: ScalarType.Float32, device: parameter.device).DetachFromDisposeScope();
            Second = zeros(parameter.shape, dtype: ScalarType.Float32, device: parameter.device).DetachFromDisposeScope();
            if (masterWeights && parameter.dtype != ScalarType.Float32)
                Master = parameter.to_type(ScalarType.Float32).DetachFromDisposeScope();
        }

        public Parameter Parameter { get; }

        public double WeightDecay { get; }

        public Tensor First { get; }

        public Tensor Second { get; }

        public Tensor? Master { get; }

        public bool RunsFused => Parameter.device_type == DeviceType.CPU && Parameter.dtype is ScalarType.Float32 or ScalarType.BFloat16;

        public void Dispose()
        {
            First.Dispose();
            Second.Dispose();
            Master?.Dispose();
        }
    }
}
