using TorchSharp;

namespace MLComponents.Models;

/// <summary>The keys and values of the tokens that a decoder has seen, so that they need not be computed again. Not for use by two forward passes at once.</summary>
public abstract class KeyValueCache : IDisposable
{
    /// <summary>The number of tokens of each row that are held.</summary>
    public abstract int Length { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Adds the keys and values of new tokens and gives those of all tokens, in the current dispose scope.</summary>
    /// <param name="layer">The layer, from 0.</param>
    /// <param name="keys"><c>[batch, key-value heads, new tokens, head]</c>.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    internal abstract (torch.Tensor Keys, torch.Tensor Values) Append(int layer, torch.Tensor keys, torch.Tensor values);

    /// <summary>Releases the tensors.</summary>
    /// <param name="disposing">True: called by <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);
}
