using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A parameter with what an optimizer remembers of it.</summary>
internal sealed class OptimizedParameter : IDisposable
{
    private const string MasterName = "master";

    /// <summary>Allocates the state, at zero and where the parameter is.</summary>
    /// <param name="index">The parameter's number among all of the optimizer.</param>
    /// <param name="parameter">The parameter, Float32 or BFloat16.</param>
    /// <param name="group">The group that it belongs to.</param>
    /// <param name="masterWeights">Whether a bfloat16 parameter gets a float32 copy.</param>
    /// <param name="layout">The state.</param>
    public OptimizedParameter(int index, Parameter parameter, ParameterGroup group, bool masterWeights, IReadOnlyList<StateTensor> layout)
    {
        using var noGradients = no_grad();
        (Index, Parameter, Group) = (index, parameter, group);
        State = [.. layout.Select(state => zeros(state.Shape, state.DType, parameter.device).DetachFromDisposeScope())];
        if (HasMaster(parameter, masterWeights)) Master = parameter.to_type(ScalarType.Float32).DetachFromDisposeScope();
        Names = [.. layout.Select(state => state.Name)];
    }

    public int Index { get; }

    public Parameter Parameter { get; }

    public ParameterGroup Group { get; }

    /// <summary>In the order of the optimizer's layout.</summary>
    public IReadOnlyList<Tensor> State { get; }

    /// <summary>The weights in float32, or null where the parameter itself takes up every change.</summary>
    public Tensor? Master { get; }

    /// <summary>The gradient as rows, where it is kept so.</summary>
    public RowGradient? Rows { get; private set; }

    /// <summary>Of a gradient of rows: which rows have ever had one. The state of the others is zero.</summary>
    public bool[] HadGradient { get; private set; } = [];

    private IReadOnlyList<string> Names { get; }

    /// <summary>Takes the gradient from rows.</summary>
    public void Use(RowGradient rows) => (Rows, HadGradient) = (rows, new bool[Parameter.shape[0]]);

    /// <summary>Says that the state may be other than zero anywhere.</summary>
    public void StateIsUnknown() => Array.Fill(HadGradient, true);

    /// <summary>Whether a parameter gets a float32 copy.</summary>
    public static bool HasMaster(Tensor parameter, bool masterWeights) => masterWeights && parameter.dtype != ScalarType.Float32;

    /// <summary>The live tensors, by names that are the parameter's number and what they hold.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> NamedState()
    {
        for (int i = 0; i < State.Count; i++) yield return new($"{Index}.{Names[i]}", State[i]);
        if (Master is not null) yield return new($"{Index}.{MasterName}", Master);
    }

    public void Dispose()
    {
        foreach (Tensor state in State) state.Dispose();
        Master?.Dispose();
    }
}
