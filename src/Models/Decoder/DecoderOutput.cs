using TorchSharp;

namespace MLComponents.Models;

/// <summary>What a decoder gives. Disposing it disposes its tensors.</summary>
/// <param name="LastHiddenState"><c>[batch, seq, hidden]</c>, after the final norm.</param>
/// <param name="HiddenStates">
/// If asked for: the embeddings, then the output of each layer, the last one after the final norm; layers + 1 tensors <c>[batch, seq, hidden]</c>. Else empty.
/// </param>
/// <param name="Attentions">If asked for: the weights of each layer, <c>[batch, heads, seq, keys]</c>. Else empty.</param>
public sealed record DecoderOutput(torch.Tensor LastHiddenState, IReadOnlyList<torch.Tensor> HiddenStates, IReadOnlyList<torch.Tensor> Attentions) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        LastHiddenState.Dispose();
        foreach (torch.Tensor state in HiddenStates) state.Dispose();
        foreach (torch.Tensor attention in Attentions) attention.Dispose();
    }
}
