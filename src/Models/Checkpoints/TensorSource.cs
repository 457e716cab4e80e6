using TorchSharp;

namespace MLComponents.Models;

/// <summary>Named tensors that can be read into tensors that exist already: one file, many shards, or a stream.</summary>
internal abstract class TensorSource : IDisposable
{
    /// <summary>What is read, for messages.</summary>
    public abstract string Source { get; }

    /// <summary>What there is to read, in the order of the file.</summary>
    public abstract IReadOnlyList<StoredTensor> Entries { get; }

    /// <summary>Reads each tensor for which there is a destination of the same shape, converting the element type where it differs.</summary>
    /// <param name="destinationOf">Gives the tensor to fill, or null for a tensor that nobody wants.</param>
    /// <exception cref="FormatException">The content ends before its tensors do.</exception>
    public abstract void ReadAll(Func<StoredTensor, torch.Tensor?> destinationOf);

    /// <inheritdoc/>
    public abstract void Dispose();
}
