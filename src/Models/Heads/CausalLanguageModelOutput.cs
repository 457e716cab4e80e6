using TorchSharp;

namespace MLComponents.Models;

/// <summary>What a causal language model gives. Disposing it disposes its tensors.</summary>
/// <param name="Logits"><c>[batch, kept positions, vocabulary]</c>.</param>
/// <param name="Decoder">The hidden states, and the attention weights if asked for.</param>
public sealed record CausalLanguageModelOutput(torch.Tensor Logits, DecoderOutput Decoder) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Logits.Dispose();
        Decoder.Dispose();
    }
}
