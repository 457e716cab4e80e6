using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Texts as a decoder reads them: their ids or, where the lowest layers never change, what these have made of them.</summary>
internal sealed class TextBatch : IDisposable
{
    private TextBatch(TextLayout layout, Tensor content, int firstLayer) => (Layout, Content, FirstLayer) = (layout, content, firstLayer);

    /// <summary>Where the texts are.</summary>
    public TextLayout Layout { get; }

    /// <summary>Int64 ids <c>[tokens]</c>; or states <c>[tokens, hidden]</c>, the input of <see cref="FirstLayer"/>.</summary>
    public Tensor Content { get; }

    /// <summary>The first layer that is still to be run; 0 with ids.</summary>
    public int FirstLayer { get; }

    /// <summary>Whether there are states instead of ids.</summary>
    public bool HasStates => Content.ndim == 2;

    /// <summary>A batch of ids; the caller disposes it.</summary>
    /// <param name="texts">At least one text of at least one id.</param>
    /// <param name="layout">Where they go.</param>
    /// <param name="padId">What fills shorter rows, a valid id.</param>
    /// <param name="device">Where the tensor goes.</param>
    public static TextBatch OfIds(IReadOnlyList<int[]> texts, TextLayout layout, int padId, Device device)
    {
        var ids = new long[layout.Tokens];
        if (padId != 0) Array.Fill(ids, padId);
        for (int text = 0; text < texts.Count; text++)
        {
            Span<long> row = ids.AsSpan(layout.StartOf(text), texts[text].Length);
            for (int i = 0; i < row.Length; i++) row[i] = texts[text][i];
        }

        return new TextBatch(layout, tensor(ids, device: device).DetachFromDisposeScope(), 0);
    }

    /// <summary>A batch of states; the caller disposes it.</summary>
    /// <param name="layout">Where they go.</param>
    /// <param name="firstLayer">The layer whose input they are; the number of layers for what the last one gives.</param>
    /// <param name="hidden">Numbers of a token.</param>
    /// <param name="dtype">Their type.</param>
    /// <param name="device">Where the tensor goes.</param>
    /// <param name="copy">Writes the states of the text at a place in the batch, token after token, to where they belong.</param>
    public static unsafe TextBatch OfStates(TextLayout layout, int firstLayer, int hidden, ScalarType dtype, Device device, StateReader copy)
    {
        using var scope = NewDisposeScope();
        Tensor states = zeros([layout.Tokens, hidden], dtype);
        var first = (byte*)TensorSpans.AddressOf(states);
        long bytes = hidden * states.ElementSize;
        for (int text = 0; text < layout.Lengths.Count; text++)
            copy(text, new Span<byte>(first + (layout.StartOf(text) * bytes), checked((int)(layout.Lengths[text] * bytes))));
        return new TextBatch(layout, states.to(device).DetachFromDisposeScope(), firstLayer);
    }

    /// <inheritdoc/>
    public void Dispose() => Content.Dispose();

    /// <summary>Writes the states of a text.</summary>
    /// <param name="text">Its place in the batch.</param>
    /// <param name="states">Where to.</param>
    public delegate void StateReader(int text, Span<byte> states);
}
