using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <content>The texts of a batch, laid out with little padding or none.</content>
internal sealed partial class DecoderModel
{
    /// <summary>Reads texts to the end.</summary>
    /// <param name="batch">The texts.</param>
    /// <returns>The final hidden state of every token, those of the padding included: <c>[tokens, hidden]</c>.</returns>
    public Tensor Forward(TextBatch batch)
    {
        using DisposeScope scope = NewDisposeScope();
        return _finalNorm.forward(ForwardLayers(batch, _blocks.Length)).MoveToOuterDisposeScope();
    }

    /// <summary>Reads texts up to the input of a layer.</summary>
    /// <param name="batch">The texts.</param>
    /// <param name="end">The layer; the number of layers for what the last one gives.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    public Tensor ForwardLayers(TextBatch batch, int end)
    {
        using DisposeScope scope = NewDisposeScope();
        return ForwardLayers(batch, new Reading(this, batch), end).reshape(-1, _config.HiddenSize).MoveToOuterDisposeScope();
    }

    /// <summary>The final hidden state of one token of each text of a causal decoder.</summary>
    /// <param name="batch">The texts.</param>
    /// <param name="positions">Which token of each text.</param>
    /// <returns><c>[texts, hidden]</c>.</returns>
    public Tensor ForwardPooled(TextBatch batch, IReadOnlyList<int> positions)
    {
        using DisposeScope scope = NewDisposeScope();
        return _finalNorm.forward(ForwardPooledLayers(batch, positions)).MoveToOuterDisposeScope();
    }

    /// <summary>What the last layer of a causal decoder gives for one token of each text; of the other tokens, only keys and values are computed in it.</summary>
    /// <param name="batch">The texts.</param>
    /// <param name="positions">Which token of each text.</param>
    /// <returns><c>[texts, hidden]</c>.</returns>
    public Tensor ForwardPooledLayers(TextBatch batch, IReadOnlyList<int> positions)
    {
        using DisposeScope scope = NewDisposeScope();
        (TextLayout layout, Device device) = (batch.Layout, batch.Content.device);
        Tensor pooled;
        if (batch.FirstLayer == _blocks.Length)
        {
            pooled = batch.Content.index_select(0, Indexes(layout.Order.Select(text => (long)layout.StartOf(text) + positions[text]), device));
        }
        else
        {
            var reading = new Reading(this, batch);
            Tensor hidden = ForwardLayers(batch, reading, _blocks.Length - 1);
            Tensor at = Indexes(layout.Order.Select(text => (long)positions[text]), device);
            pooled = layout.Groups.Count == 1 ? PoolLastLayer(hidden, at) : PoolLastLayer(hidden, reading, layout, positions, at);
        }

        if (!layout.Order.SequenceEqual(Enumerable.Range(0, layout.Order.Count)))
        {
            var places = new long[layout.Order.Count];
            for (int place = 0; place < places.Length; place++) places[layout.Order[place]] = place;
            pooled = pooled.index_select(0, Indexes(places, device));
        }

        return pooled.MoveToOuterDisposeScope();
    }

    /// <summary>As the other, for texts in several groups.</summary>
    private Tensor PoolLastLayer(Tensor hidden, Reading reading, TextLayout layout, IReadOnlyList<int> positions, Tensor at)
    {
        DecoderBlock block = _blocks[^1];
        var groups = new AttentionGroup[layout.Groups.Count];
        int first = 0;
        for (int i = 0; i < groups.Length; i++)
        {
            TextGroup group = layout.Groups[i];
            bool seesAll = (block.Window is null || block.Window >= group.Width) && layout.Order.Skip(first).Take(group.Count).All(text => positions[text] == group.Width - 1);
            groups[i] = new AttentionGroup(group, seesAll ? new LayerMask(null, false) : AttentionMasks.UpTo(at.narrow(0, first, group.Count), group.Width, block.Window, hidden.dtype));
            first += group.Count;
        }

        Tensor places = Indexes(layout.Order.Select(text => (long)layout.StartOf(text) + positions[text]), hidden.device);
        RotaryTable pooledRotary = reading.Rotary with
        {
            Cosines = reading.Rotary.Cosines.index_select(0, places),
            SignedSines = reading.Rotary.SignedSines.index_select(0, places),
        };
        return block.ForwardPooled(hidden, reading.Rotary, places.unsqueeze(0), pooledRotary, groups).squeeze(0);
    }

    /// <summary>The input of a layer, <c>[texts, width, hidden]</c> of a single group, else <c>[1, tokens, hidden]</c>.</summary>
    private Tensor ForwardLayers(TextBatch batch, Reading reading, int end)
    {
        using DisposeScope scope = NewDisposeScope();
        IReadOnlyList<TextGroup> groups = batch.Layout.Groups;
        long[] shape = groups.Count == 1 ? [groups[0].Count, groups[0].Width] : [1, batch.Layout.Tokens];
        Tensor state = batch.HasStates ? batch.Content.view([.. shape, _config.HiddenSize]) : _embeddingDropout(Disturb(_embedding.forward(batch.Content.view(shape)), groups));
        for (int layer = batch.FirstLayer; layer < end; layer++)
        {
            Tensor next = reading.Run(_blocks[layer], Widened(state));
            state.Dispose();
            state = next;
        }

        return state.to(EmbeddingWeight.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>As the other; what is a text there is a row of a group here.</summary>
    private Tensor Disturb(Tensor embedded, IReadOnlyList<TextGroup> groups)
    {
        if (!training || EmbeddingNoise == 0 || groups.Count == 1) return Disturb(embedded);
        Tensor noise = empty_like(embedded);
        long start = 0;
        foreach (TextGroup group in groups)
        {
            double most = EmbeddingNoise / Math.Sqrt((double)group.Width * embedded.shape[2]);
            noise.narrow(1, start, group.Tokens).uniform_(-most, most);
            start += group.Tokens;
        }

        return embedded + noise;
    }

    private static Tensor Indexes(IEnumerable<long> values, Device device) => tensor(values.ToArray(), device: device);

    /// <summary>What the layers need to know of a batch: positions, and who sees whom. Made in the current dispose scope.</summary>
    private sealed class Reading
    {
        private readonly DecoderModel _model;
        private readonly TextGroup[] _groups;
        private readonly AttentionMasks[] _masks;

        public Reading(DecoderModel model, TextBatch batch)
        {
            (TextLayout layout, Device device, DecoderConfig config) = (batch.Layout, batch.Content.device, model._config);
            (_model, _groups) = (model, [.. layout.Groups]);
            ScalarType dtype = model.EmbeddingWeight.dtype;
            RotaryTable table = model._rotary.Follow(0, layout.Width, device);
            if (_groups.Length > 1)
            {
                Tensor positions = Indexes(_groups.SelectMany(group => Enumerable.Range(0, group.Tokens).Select(token => (long)token % group.Width)), device);
                table = table with { Cosines = table.Cosines.index_select(0, positions), SignedSines = table.SignedSines.index_select(0, positions) };
            }

            Rotary = table.As(dtype);
            _masks = new AttentionMasks[_groups.Length];
            int first = 0;
            for (int i = 0; i < _groups.Length; i++)
            {
                TextGroup group = _groups[i];
                int[] lengths = [.. layout.Order.Skip(first).Take(group.Count).Select(text => layout.Lengths[text])];
                _masks[i] = AttentionMasks.Build(
                    config, null, group.Count, group.Width, config.IsCausal ? null : Padding(lengths, group.Width, device), null, model._kernel.HidesLaterKeys, dtype, device);
                first += group.Count;
            }
        }

        /// <summary>The turns of all tokens; of a single group, those of a row of it.</summary>
        public RotaryTable Rotary { get; }

        /// <summary>A layer, its activations kept for its gradients or not.</summary>
        public Tensor Run(DecoderBlock block, Tensor hidden)
        {
            if (_groups.Length == 1)
            {
                Tensor output = _model.Run(block, hidden, Rotary, _masks[0], out Tensor? weights);
                weights?.Dispose();
                return output;
            }

            AttentionGroup[] groups = [.. _groups.Zip(_masks, (texts, masks) => new AttentionGroup(texts, block.ChooseMask(masks)))];
            return _model.CheckpointsGradients && _model.training && is_grad_enabled()
                ? CheckpointedBlock.Apply(block, hidden, Rotary, groups)
                : block.Forward(hidden, Rotary, groups);
        }

        /// <summary>The mask of a decoder that looks both ways; none is needed where what is padded on the right is seen by nobody.</summary>
        private static Tensor? Padding(int[] lengths, int width, Device device)
        {
            if (lengths.All(length => length == width)) return null;
            Tensor ends = Indexes(lengths.Select(length => (long)length), device);
            return (arange(width, device: device).unsqueeze(0) < ends.unsqueeze(1)).to(ScalarType.Int64);
        }
    }
}
