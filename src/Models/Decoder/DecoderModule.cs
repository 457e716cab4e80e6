using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A part of a decoder. Its parts are registered by hand, under the names that the family's checkpoints use.</summary>
internal abstract class DecoderModule(string name) : nn.Module(name)
{
    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // The constructors register; field names mean nothing here.
    }

    /// <summary>Registers a part and returns it.</summary>
    protected T Register<T>(string key, T part)
        where T : nn.Module
    {
        register_module(key, part);
        return part;
    }

    /// <summary>Dropout in training, with a probability that may be 0.</summary>
    protected Func<Tensor, Tensor> Dropout(double probability) =>
        probability > 0 ? input => nn.functional.dropout(input, probability, training) : static input => input;
}
