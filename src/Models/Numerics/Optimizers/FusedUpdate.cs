using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A step of a parameter in CPU memory, with the addresses of everything that it touches.</summary>
internal sealed class FusedUpdate
{
    private readonly nint _weight;
    private readonly nint _gradient;
    private readonly nint _master;
    private readonly nint[] _state;
    private readonly bool _isFloat32;

    /// <param name="update">The step.</param>
    /// <param name="gradient">The gradient, contiguous; must live as long as this.</param>
    public FusedUpdate(ParameterUpdate update, Tensor gradient)
        : this(update) => _gradient = TensorSpans.AddressOf(gradient);

    /// <param name="update">The step.</param>
    /// <param name="rows">The gradient; must not change as long as this lives.</param>
    public FusedUpdate(ParameterUpdate update, RowGradient rows)
        : this(update) => Rows = rows;

    private FusedUpdate(ParameterUpdate update)
    {
        OptimizedParameter item = update.Item;
        (Update, Length) = (update, item.Parameter.NumberOfElements);
        _isFloat32 = item.Parameter.dtype == ScalarType.Float32;
        _weight = TensorSpans.AddressOf(item.Parameter);
        _master = item.Master is null ? 0 : TensorSpans.AddressOf(item.Master);
        _state = [.. item.State.Select(TensorSpans.AddressOf)];
    }

    public ParameterUpdate Update { get; }

    /// <summary>Weights.</summary>
    public long Length { get; }

    /// <summary>The gradient as rows, or null where it is a matrix.</summary>
    public RowGradient? Rows { get; }

    /// <summary>A part of a state that is float32, or null where there is no such state.</summary>
    public unsafe float* State(int which, long start = 0) => which < _state.Length ? (float*)_state[which] + start : null;

    /// <summary>A part of a state of bytes.</summary>
    public unsafe byte* Bytes(int which, long start) => (byte*)_state[which] + start;

    /// <summary>Has an equation run over the weights from one on, compiled for how they are stored.</summary>
    public unsafe void Run<TEquation>(TEquation equation, long start)
        where TEquation : IWeightEquation
    {
        Run(equation, start, (byte*)_gradient + (start * (_isFloat32 ? sizeof(float) : sizeof(ushort))));
    }

    /// <summary>As the other, with the gradient of these weights.</summary>
    public unsafe void Run<TEquation>(TEquation equation, long start, byte* gradient)
        where TEquation : IWeightEquation
    {
        float scale = (float)Update.GradientScale;
        if (_isFloat32) equation.Run(new Float32Weights((float*)_weight + start, (float*)gradient, scale));
        else if (_master != 0) equation.Run(new MasterWeights((ushort*)_weight + start, (float*)_master + start, (ushort*)gradient, scale));
        else equation.Run(new StochasticWeights((ushort*)_weight + start, (ushort*)gradient, scale, Update.RoundingSeed, unchecked((uint)start)));
    }
}

/// <summary>What is computed over weights, whatever they are stored as.</summary>
internal interface IWeightEquation
{
    /// <summary>Computes; the number of weights is the equation's to know.</summary>
    void Run<TWeights>(TWeights weights)
        where TWeights : struct, IWeightLanes;
}
