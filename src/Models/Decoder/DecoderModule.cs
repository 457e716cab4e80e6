using TorchSharp;

namespace MLComponents.Models;

/// <summary>A part of a decoder. Its parts are registered by hand, under the names that the family's checkpoints use.</summary>
internal abstract class DecoderModule(string name) : torch.nn.Module(name)
{
    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // The constructors register; field names mean nothing here.
    }

    /// <summary>Registers a part and returns it.</summary>
    protected T Register<T>(string key, T part)
        where T : torch.nn.Module
    {
        register_module(key, part);
        return part;
    }
}
