using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// What the lowest layers, which training leaves as they are, make of texts: computed once per text, without dropout, and kept; training goes on from there. What finds no
/// room is computed anew each time.
/// </summary>
internal sealed class FrozenPrefix : IDisposable
{
    private const int WindowRows = 2048;

    private readonly TextBatches _texts;
    private readonly TextStates _states;
    private readonly DecoderModel _decoder;

    /// <summary>Prepares to keep what frozen layers make of texts.</summary>
    /// <param name="texts">Makes batches of texts.</param>
    /// <param name="states">Keeps the states; owned from now on.</param>
    public FrozenPrefix(TextBatches texts, TextStates states)
    {
        (_texts, _states, _decoder) = (texts, states, texts.Model.Decoder);
        Layers = texts.Model.FrozenLayerCount;
        KeepsOneToken = texts.ArePooled && Layers == texts.Model.Config.LayerCount;
    }

    /// <summary>How many layers, from the lowest on, are run once.</summary>
    public int Layers { get; }

    /// <summary>Whether a text's state is that of the token that it is read off at, as no layer is left that would look at the others.</summary>
    public bool KeepsOneToken { get; }

    /// <summary>Texts that the layers have read so far.</summary>
    public long Computed { get; private set; }

    /// <summary>
    /// Whether a model gives the same for a text in every epoch up to a layer above the first one: neither these layers nor the embedding are trained, the embedding is not
    /// disturbed, and what a text becomes does not depend on how long others are.
    /// </summary>
    /// <param name="model">The model, of which is frozen what is not trained.</param>
    /// <param name="maxLength">Most tokens of a text.</param>
    public static bool Suits(PretrainedModel model, int maxLength) => model.EmbeddingNoise == 0 && model.FrozenLayerCount > 0 && model.Decoder.Rotary.IsSteadyUpTo(maxLength);

    /// <summary>The memory that the states of some texts take at most, in bytes.</summary>
    /// <param name="texts">Makes batches of the texts.</param>
    /// <param name="rows">How many texts.</param>
    /// <param name="maxLength">Most tokens of a text.</param>
    public static long BytesFor(TextBatches texts, long rows, int maxLength)
    {
        DecoderConfig config = texts.Model.Config;
        bool keepsOneToken = texts.ArePooled && texts.Model.FrozenLayerCount == config.LayerCount;
        return rows * (keepsOneToken ? 1 : maxLength) * config.HiddenSize * texts.Model.parameters().First().ElementSize;
    }

    /// <summary>Runs the layers over texts, in batches of like length within windows of the data's order: the same batches in every process.</summary>
    /// <param name="rows">The texts.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    /// <returns>Whether all found room.</returns>
    public bool Fill(IEnumerable<int[]> rows, Action checkAlive)
    {
        foreach (int[][] window in rows.Chunk(WindowRows))
        {
            int[][] missing = [.. window.Where(row => !_states.Contains(row)).DistinctBy(TextStates.KeyOf)];
            foreach (int[] batch in _texts.Parts(Array.ConvertAll(missing, row => row.Length)))
            {
                checkAlive();
                bool areKept = true;
                Compute(Array.ConvertAll(batch, index => missing[index]), (text, states) => areKept &= _states.Add(missing[batch[text]], states));
                if (!areKept) return false;
            }
        }

        return true;
    }

    /// <summary>The states of texts as a batch; the caller disposes it.</summary>
    /// <param name="texts">Token ids, at least one text and at least one id each.</param>
    public TextBatch Read(IReadOnlyList<int[]> texts)
    {
        DecoderConfig config = _texts.Model.Config;
        TextLayout layout = KeepsOneToken ? TextLayout.Padded([.. texts.Select(_ => 1)]) : _texts.LayOut([.. texts.Select(text => text.Length)]);
        var computed = new Dictionary<int, byte[]>();
        while (true)
        {
            var missing = new List<int>();
            TextBatch batch = TextBatch.OfStates(layout, Layers, config.HiddenSize, _texts.Model.DType, _texts.Device, (text, states) =>
            {
                if (computed.TryGetValue(text, out byte[]? own)) own.CopyTo(states);
                else if (!_states.Read(texts[text], states)) missing.Add(text);
            });
            if (missing.Count == 0) return batch;
            batch.Dispose();

            // What was not kept is computed together, in a batch of its own.
            Compute([.. missing.Select(text => texts[text])], (text, states) => computed[missing[text]] = states.ToArray());
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _states.Dispose();

    /// <summary>Runs the layers over texts at once, and gives the states of each.</summary>
    private void Compute(int[][] texts, StateWriter write)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        PretrainedModel model = _texts.Model;
        bool wasTraining = model.training;
        model.eval();
        using TextBatch batch = _texts.ReadIds(texts);
        using Tensor states = (KeepsOneToken ? _decoder.ForwardPooledLayers(batch, _texts.Positions(texts)) : _decoder.ForwardLayers(batch, Layers)).cpu().contiguous();
        if (wasTraining) model.train();
        for (int text = 0; text < texts.Length; text++)
        {
            using Tensor own = KeepsOneToken ? states.narrow(0, text, 1) : states.narrow(0, batch.Layout.StartOf(text), texts[text].Length);
            write(text, own.bytes);
        }

        Computed += texts.Length;
    }

    /// <summary>Is given the states of a text.</summary>
    private delegate void StateWriter(int text, ReadOnlySpan<byte> states);
}
