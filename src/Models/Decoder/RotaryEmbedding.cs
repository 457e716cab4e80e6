using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Gives the cosines and sines of positions, in single precision even where the weights are not: a rounded angle is wrong for every element it turns.
/// Safe for concurrent forward passes.
/// </summary>
internal sealed class RotaryEmbedding(DecoderConfig config)
{
    private const int FirstTableLength = 256;

    private readonly int _rotarySize = config.RotarySize();
    private readonly float _scaling = (float)config.Rope.AttentionScaling(config.MaxPositions);
    private readonly Lock _lock = new();
    private float[] _frequencies = config.Rope.InverseFrequencies(config.RotarySize(), config.MaxPositions, config.MaxPositions);
    private int _lengthInUse = config.MaxPositions;
    private PositionTable? _table;

    /// <summary>What cosines and sines are multiplied with.</summary>
    public float Scaling => _scaling;

    /// <summary>The table of the positions 0, 1, 2, ... that follow those in a cache.</summary>
    /// <returns>Cosines and sines <c>[seq, rotated]</c> in the current dispose scope.</returns>
    public RotaryTable Follow(int past, int length, Device device, KeyValueCache? cache = null)
    {
        if (config.Rope.DependsOnLength)
        {
            using Tensor ordered = arange(past, past + length, ScalarType.Float32, device);
            return Compute(ordered, past + length, cache);
        }

        lock (_lock)
        {
            if (_table is null || !_table.Serves(past + length, device))
            {
                using var scope = NewDisposeScope();
                int size = Math.Max(FirstTableLength, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(past + length)));
                RotaryTable all = Compute(arange(size, ScalarType.Float32, device), size, null);
                all.Cosines.DetachFromDisposeScope();
                all.SignedSines.DetachFromDisposeScope();

                // Another thread's views keep the memory of the old table alive; its handles can go.
                _table?.Dispose();
                _table = new PositionTable(all, size, device);
            }

            RotaryTable table = _table.Table;
            return table with { Cosines = table.Cosines.narrow(0, past, length), SignedSines = table.SignedSines.narrow(0, past, length) };
        }
    }

    /// <summary>The table of given positions.</summary>
    /// <param name="positionIds"><c>[batch, seq]</c>.</param>
    /// <param name="cache">What remembers the length that frequencies depend on; null for the model itself.</param>
    /// <returns>Cosines and sines <c>[batch, 1, seq, rotated]</c> in the current dispose scope.</returns>
    public RotaryTable At(Tensor positionIds, KeyValueCache? cache = null)
    {
        using var scope = NewDisposeScope();
        int length = config.Rope.DependsOnLength ? (int)positionIds.max().item<long>() + 1 : 0;
        RotaryTable table = Compute(positionIds.unsqueeze(1).to(ScalarType.Float32), length, cache);
        return table with { Cosines = table.Cosines.MoveToOuterDisposeScope(), SignedSines = table.SignedSines.MoveToOuterDisposeScope() };
    }

    /// <summary>Whether all texts up to a length have the same turns, so that what a token becomes does not depend on the texts beside its own.</summary>
    /// <param name="length">The length, at least 1.</param>
    public bool IsSteadyUpTo(int length)
    {
        if (!config.Rope.DependsOnLength) return true;
        float[] Frequencies(int tokens) => config.Rope.InverseFrequencies(_rotarySize, config.MaxPositions, config.Rope.EffectiveLength(tokens, config.MaxPositions, config.MaxPositions));
        return Frequencies(1).AsSpan().SequenceEqual(Frequencies(length));
    }

    /// <summary>Releases the table; it is made again when it is needed.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _table?.Dispose();
            _table = null;
        }
    }

    /// <summary>The frequencies for a sequence, one for each pair of rotated elements.</summary>
    /// <param name="sequenceLength">How long it is.</param>
    /// <param name="lengthInUse">The length whose frequencies are in use for the texts that it belongs to, where they depend on it; null at first.</param>
    public float[] FrequenciesFor(int sequenceLength, ref int? lengthInUse)
    {
        if (!config.Rope.DependsOnLength) return _frequencies;
        int length = config.Rope.EffectiveLength(sequenceLength, lengthInUse ?? config.MaxPositions, config.MaxPositions);
        lengthInUse = length;
        return config.Rope.InverseFrequencies(_rotarySize, config.MaxPositions, length);
    }

    private float[] FrequenciesFor(int sequenceLength, KeyValueCache? cache)
    {
        if (!config.Rope.DependsOnLength) return _frequencies;
        if (cache is not null)
        {
            int? lengthInUse = cache.RotaryLength;
            float[] frequencies = FrequenciesFor(sequenceLength, ref lengthInUse);
            cache.RotaryLength = lengthInUse;
            return frequencies;
        }

        lock (_lock)
        {
            int length = config.Rope.EffectiveLength(sequenceLength, _lengthInUse, config.MaxPositions);
            if (length != _lengthInUse)
            {
                _frequencies = config.Rope.InverseFrequencies(_rotarySize, config.MaxPositions, length);
                _lengthInUse = length;
            }

            return _frequencies;
        }
    }

    private RotaryTable Compute(Tensor positions, int sequenceLength, KeyValueCache? cache)
    {
        // A table made under inference_mode could never take part in training.
        using var ordinary = inference_mode(false);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor frequencies = tensor(FrequenciesFor(sequenceLength, cache), ScalarType.Float32, positions.device);
        Tensor angles = positions.unsqueeze(-1) * frequencies;
        Tensor cosines = angles.cos().mul_(_scaling);
        Tensor sines = angles.sin().mul_(_scaling);
        return new RotaryTable(
            cat([cosines, cosines], -1).MoveToOuterDisposeScope(),
            cat([-sines, sines], -1).MoveToOuterDisposeScope(),
            2 * ((_rotarySize + 1) / 2));
    }

    /// <summary>Positions 0 to a length, on one device.</summary>
    private sealed record PositionTable(RotaryTable Table, int Length, Device Device) : IDisposable
    {
        public bool Serves(int length, Device device) =>
            length <= Length && device.type == Device.type && device.index == Device.index;

        public void Dispose()
        {
            Table.Cosines.Dispose();
            Table.SignedSines.Dispose();
        }
    }
}
