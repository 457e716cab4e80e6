using TorchSharp;

namespace MLComponents.Models;

/// <summary>Named tensors that can be read into tensors that exist already: one file, many shards, or a stream.</summary>
internal abstract class TensorSource : IDisposable
{
    /// <summary>What is read, for messages.</summary>
    public abstract string Source { get; }

    /// <summary>What there is to read, in the order in which reading is cheapest.</summary>
    public abstract IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Reads each tensor for which there is a destination of the same shape, converting the element type where it differs.</summary>
    /// <param name="destinationOf">Gives the tensor to fill, or null for a tensor that nobody wants.</param>
    public abstract void ReadAll(Func<SafetensorsEntry, torch.Tensor?> destinationOf);

    /// <inheritdoc/>
    public abstract void Dispose();
}
