using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>An adapter's own copy of a module that it trains whole.</summary>
internal sealed class TrainedCopy
{
    /// <summary>A copy with the module's values.</summary>
    public TrainedCopy(WeightedModule module)
    {
        using var noGradient = no_grad();
        Weight = LoraLayer.NewParameter(module.Weight.clone());
        Bias = module.Bias is { } bias ? LoraLayer.NewParameter(bias.clone()) : null;
    }

    public Parameter Weight { get; }

    public Parameter? Bias { get; }

    /// <summary>The parameters as a module calls them.</summary>
    public IEnumerable<(string Name, Parameter Value)> Parameters()
    {
        yield return ("weight", Weight);
        if (Bias is not null) yield return ("bias", Bias);
    }

    public void Dispose()
    {
        foreach (var (_, value) in Parameters())
        {
            value.grad?.Dispose();
            value.Dispose();
        }
    }
}
