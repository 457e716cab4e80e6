using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>Sequences as the tensors of a language model, several short ones in one row where that saves padding; positions that begin anew keep them apart.</summary>
internal sealed class PackedRows : IDisposable
{
    private PackedRows(Tensor inputIds, Tensor positions, Tensor labels, (int Row, int Start)[] places) =>
        (InputIds, Positions, Labels, Places) = (inputIds, positions, labels, places);

    /// <summary>Int64 ids <c>[batch, seq]</c>.</summary>
    public Tensor InputIds { get; }

    /// <summary>Int64 positions <c>[batch, seq]</c>.</summary>
    public Tensor Positions { get; }

    /// <summary>Int64 <c>[batch, seq]</c>: the ids of tokens that are learnt, else <see cref="CausalLanguageModel.IgnoredLabel"/>.</summary>
    public Tensor Labels { get; }

    /// <summary>Where each sequence is: its row, and where in it its first token stands.</summary>
    public IReadOnlyList<(int Row, int Start)> Places { get; }

    /// <summary>What the model reads.</summary>
    public DecoderInput Input => new() { InputIds = InputIds, PositionIds = Positions };

    /// <summary>Builds the tensors; the caller disposes them.</summary>
    /// <param name="sequences">At least one.</param>
    /// <param name="pack">Whether rows may hold several sequences; no row is longer than the longest sequence.</param>
    /// <param name="device">Where the tensors go.</param>
    public static PackedRows Create(IReadOnlyList<LanguageSequence> sequences, bool pack, Device device)
    {
        int width = sequences.Max(sequence => sequence.Ids.Length);
        var places = new (int Row, int Start)[sequences.Count];
        var filled = new List<int>();
        foreach (int index in Enumerable.Range(0, sequences.Count).OrderByDescending(index => sequences[index].Ids.Length)) // the longest first, into the first row with room
        {
            int row = pack ? filled.FindIndex(used => used + sequences[index].Ids.Length <= width) : -1;
            if (row < 0)
            {
                row = filled.Count;
                filled.Add(0);
            }

            places[index] = (row, filled[row]);
            filled[row] += sequences[index].Ids.Length;
        }

        var ids = new long[filled.Count * width];
        var positions = new long[ids.Length];
        var labels = new long[ids.Length];
        Array.Fill(labels, CausalLanguageModel.IgnoredLabel);
        for (int index = 0; index < sequences.Count; index++)
        {
            LanguageSequence sequence = sequences[index];
            int start = (places[index].Row * width) + places[index].Start;
            for (int token = 0; token < sequence.Ids.Length; token++)
            {
                (ids[start + token], positions[start + token]) = (sequence.Ids[token], token);
                if (sequence.Learned[token]) labels[start + token] = sequence.Ids[token];
            }
        }

        for (int row = 0; row < filled.Count; row++) // padding goes on where the last text of the row ends: nobody sees it
            for (int token = filled[row]; token < width; token++) positions[(row * width) + token] = positions[(row * width) + token - 1] + 1;
        long[] shape = [filled.Count, width];
        return new PackedRows(tensor(ids, shape, device: device), tensor(positions, shape, device: device), tensor(labels, shape, device: device), places);
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        InputIds.Dispose();
        Positions.Dispose();
        Labels.Dispose();
    }
}
