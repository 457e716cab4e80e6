using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>A copy of the weights that are trained, to come back to the best ones.</summary>
internal sealed class WeightSnapshot : IDisposable
{
    private readonly Dictionary<string, Tensor> _copies = [];

    /// <summary>Whether nothing has been copied yet.</summary>
    public bool IsEmpty => _copies.Count == 0;

    /// <summary>The copies by the names of the parameters.</summary>
    public IReadOnlyDictionary<string, Tensor> Copies => _copies;

    /// <summary>Takes tensors over as the copies.</summary>
    public void Set(IReadOnlyDictionary<string, Tensor> copies)
    {
        Dispose();
        foreach ((string name, Tensor copy) in copies) _copies[name] = copy.DetachFromDisposeScope();
    }

    /// <summary>Copies the weights of now over the copies of before.</summary>
    public void Take(PretrainedModel model)
    {
        using var noGradients = no_grad();
        foreach ((string name, TorchSharp.Modules.Parameter parameter) in Trained(model))
        {
            if (_copies.TryGetValue(name, out Tensor? copy)) copy.copy_(parameter);
            else _copies[name] = parameter.clone().DetachFromDisposeScope();
        }
    }

    /// <summary>Puts the copies back into the model; without copies the model stays as it is.</summary>
    public void Restore(PretrainedModel model)
    {
        using var noGradients = no_grad();
        foreach ((string name, TorchSharp.Modules.Parameter parameter) in Trained(model))
            if (_copies.TryGetValue(name, out Tensor? copy)) parameter.copy_(copy);
    }

    private static IEnumerable<(string Name, TorchSharp.Modules.Parameter Parameter)> Trained(PretrainedModel model) =>
        model.named_parameters().Where(item => item.parameter.requires_grad);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor copy in _copies.Values) copy.Dispose();
        _copies.Clear();
    }
}
