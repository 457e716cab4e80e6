using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Turns gradients into changes of weights. bfloat16 weights are updated through a float32 master copy or by stochastic rounding, never by a plain bfloat16
/// update, which loses every change below 1/256 of a weight. The result depends neither on the number of threads nor on how work is divided between them.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private const float SmallestNormal = 1.17549435e-38f;
    private const int MantissaBits = 7;

    private readonly List<OptimizedParameter> _parameters = [];
    private readonly uint _seed;

    /// <summary>Creates the states, at zero and on the parameters' devices.</summary>
    private protected Optimizer(IEnumerable<ParameterGroup> groups, bool masterWeights, int seed, Func<Parameter, IReadOnlyList<StateTensor>> layout)
    {
        ArgumentNullException.ThrowIfNull(groups);
        _seed = unchecked((uint)seed);
        try
        {
            foreach (ParameterGroup group in groups)
            {
                if (!(group.WeightDecay >= 0) || !(group.LearningRateScale >= 0))
                    throw new ArgumentException($"A group has weight decay {group.WeightDecay} and learning-rate scale {group.LearningRateScale}; expected at least 0.", nameof(groups));
                foreach (Parameter parameter in group.Parameters)
                {
                    if (parameter.dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
                        throw new ArgumentException($"A parameter's element type is {parameter.dtype}; expected Float32 or BFloat16. Load the model with one of them.", nameof(groups));
                    _parameters.Add(new OptimizedParameter(_parameters.Count, parameter, group, masterWeights, layout(parameter)));
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Steps done so far.</summary>
    public long StepCount { get; private set; }

    /// <summary>The memory of all states and master weights, in bytes.</summary>
    internal long StateBytes => State.Sum(state => state.Value.NumberOfElements * state.Value.ElementSize);

    /// <summary>Everything that a later step depends on besides the parameters and <see cref="StepCount"/>: the live tensors, by name.</summary>
    internal IEnumerable<KeyValuePair<string, Tensor>> State => _parameters.SelectMany(parameter => parameter.NamedState());

    /// <summary>Has tensor operators compute what otherwise runs fused on a CPU: the twin that tests compare the fused step with.</summary>
    internal bool UsesOperators { get; set; }

    /// <summary>The memory that an optimizer would take, in bytes.</summary>
    /// <param name="groups">Its parameters.</param>
    /// <param name="masterWeights">Whether bfloat16 parameters get a float32 master copy.</param>
    /// <param name="layout">What the optimizer remembers of a parameter: its <c>Layout</c>.</param>
    internal static long BytesFor(IEnumerable<ParameterGroup> groups, bool masterWeights, Func<Parameter, IReadOnlyList<StateTensor>> layout) =>
        groups.SelectMany(group => group.Parameters).Sum(parameter =>
            layout(parameter).Sum(state => state.Bytes) + (OptimizedParameter.HasMaster(parameter, masterWeights) ? parameter.NumberOfElements * sizeof(float) : 0));

    /// <summary>Whether a step takes gradients that are rows.</summary>
    internal virtual bool TakesRows => false;

    /// <summary>The Euclidean norm of all gradients.</summary>
    public double GradientNorm()
    {
        double others = Models.GradientNorm.Compute(_parameters.Select(item => item.Parameter));
        return Math.Sqrt((others * others) + _parameters.Sum(item => item.Rows?.SumOfSquares() ?? 0));
    }

    /// <summary>Takes the gradient of one of the parameters from rows.</summary>
    /// <exception cref="NotSupportedException">The optimizer cannot; see <see cref="TakesRows"/>.</exception>
    internal void Use(RowGradient rows)
    {
        if (!TakesRows) throw new NotSupportedException($"{GetType().Name} wants gradients as matrices.");
        _parameters.Single(item => item.Parameter.Handle == rows.Weight.Handle).Use(rows);
    }

    /// <summary>Forgets all gradients.</summary>
    public void ZeroGradients()
    {
        foreach (OptimizedParameter item in _parameters)
        {
            using Tensor? gradient = item.Parameter.grad;
            if (gradient is not null) item.Parameter.grad = null;
            item.Rows?.Clear();
        }
    }

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="learningRate">The step's learning rate.</param>
    /// <param name="gradientScale">What gradients are multiplied with first: the factor of clipping.</param>
    public void Step(double learningRate, double gradientScale = 1)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        StepCount++;
        List<FusedUpdate> fused = [];
        foreach (OptimizedParameter item in _parameters)
        {
            var update = new ParameterUpdate(item, learningRate * item.Group.LearningRateScale, gradientScale, RoundingSeed(item));
            if (item.Rows is { Rows.Count: > 0 } rows)
            {
                foreach (long row in rows.Rows) item.HadGradient[row] = true;
                if (UsesOperators) StepByOperators(update, rows.ToDense());
                else fused.Add(new FusedUpdate(update, rows));
                continue;
            }

            if (item.Parameter.grad is not { } gradient) continue;
            if (item.Parameter.device_type == DeviceType.CPU && !UsesOperators) fused.Add(new FusedUpdate(update, gradient.contiguous()));
            else StepByOperators(update, gradient);
        }

        StepFused(fused);
    }

    /// <summary>Takes up where another optimizer stopped, so that the next step gives the bits that its next step would have.</summary>
    /// <param name="stepCount">Its <see cref="StepCount"/>.</param>
    /// <param name="state">Its <see cref="State"/>.</param>
    /// <exception cref="ArgumentException">The state is not that of such an optimizer over such parameters.</exception>
    internal void Restore(long stepCount, IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stepCount);
        Dictionary<string, Tensor> own = new(State);
        foreach (string name in state.Keys)
            if (!own.ContainsKey(name)) throw new ArgumentException($"The state has '{name}', which this {GetType().Name} over {_parameters.Count} parameters has not.", nameof(state));
        foreach ((string name, Tensor tensor) in own)
        {
            if (!state.TryGetValue(name, out Tensor? found))
                throw new ArgumentException($"The state has no '{name}', which this {GetType().Name} over {_parameters.Count} parameters needs.", nameof(state));
            if (found.dtype != tensor.dtype || !found.shape.SequenceEqual(tensor.shape))
            {
                throw new ArgumentException(
                    $"'{name}' is {found.dtype} [{string.Join(", ", found.shape)}]; expected {tensor.dtype} [{string.Join(", ", tensor.shape)}].", nameof(state));
            }
        }

        using var noGradients = no_grad();
        foreach ((string name, Tensor tensor) in own) tensor.copy_(state[name]);
        foreach (OptimizedParameter item in _parameters) item.StateIsUnknown();
        StepCount = stepCount;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the states.</summary>
    /// <param name="disposing">Whether this is not the finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (OptimizedParameter item in _parameters) item.Dispose();
        _parameters.Clear();
    }

    /// <summary>The step over the raw memory of CPU tensors.</summary>
    private protected abstract void StepFused(IReadOnlyList<FusedUpdate> updates);

    /// <summary>The same step by tensor operators, which run on every device: advances the state and gives the new weight.</summary>
    /// <param name="update">The parameter and its learning rate.</param>
    /// <param name="weight">Float32.</param>
    /// <param name="gradient">Float32, scaled.</param>
    private protected abstract Tensor Advance(ParameterUpdate update, Tensor weight, Tensor gradient);

    private void StepByOperators(ParameterUpdate update, Tensor gradient)
    {
        Tensor parameter = update.Item.Parameter;
        Tensor updated = Advance(update, update.Item.Master ?? parameter.to_type(ScalarType.Float32), gradient.to_type(ScalarType.Float32) * update.GradientScale);
        update.Item.Master?.copy_(updated);
        parameter.copy_(parameter.dtype == ScalarType.Float32 || update.Item.Master is not null ? updated : RoundStochastically(updated, update.RoundingSeed));
    }

    private uint RoundingSeed(OptimizedParameter item) =>
        unchecked((_seed * 0x01000193u) ^ ((uint)StepCount * 0x85EBCA6Bu) ^ ((uint)(item.Index + 1) * 0x9E3779B1u));

    /// <summary>x/u is rounded down after a uniform number in [0, 1) is added, where u is the distance of neighbouring bfloat16 numbers at x.</summary>
    private static Tensor RoundStochastically(Tensor value, uint seed)
    {
        using var generator = new Generator(seed, value.device);
        Tensor uniform = rand(value.shape, dtype: ScalarType.Float32, device: value.device, generator: generator);
        Tensor spacing = (value.abs().clamp_min(SmallestNormal).log2().floor() - MantissaBits).exp2();
        return ((value / spacing) + uniform).floor() * spacing;
    }
}
