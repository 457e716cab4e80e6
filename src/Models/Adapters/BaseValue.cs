using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A parameter of the base model that an adapter stores and may change: a bias that it trains, or an embedding that lies in its file.</summary>
/// <param name="Name">Its name in the adapter's file.</param>
/// <param name="Parameter">The parameter.</param>
/// <param name="IsTrained">Whether the adapter trains it.</param>
internal sealed record BaseValue(string Name, Parameter Parameter, bool IsTrained)
{
    private Tensor? _original;

    /// <summary>Whether the base may have another value than it had without the adapter.</summary>
    public bool IsChanged => _original is not null;

    /// <summary>Keeps the value of now to come back to, and takes another if there is one.</summary>
    /// <param name="value">The other value, or null.</param>
    public void Change(Tensor? value)
    {
        using var noGradient = no_grad();
        _original = Parameter.clone().DetachFromDisposeScope();
        if (value is not null) Parameter.copy_(value);
    }

    /// <summary>Brings the value back that was there before.</summary>
    public void Restore()
    {
        using var noGradient = no_grad();
        if (_original is not null) Parameter.copy_(_original);
        Forget();
    }

    /// <summary>Makes the value of now the base's own.</summary>
    public void Forget()
    {
        _original?.Dispose();
        _original = null;
    }
}
