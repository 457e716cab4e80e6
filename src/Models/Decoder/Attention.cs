using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Multi-head attention over rotary positions, with a key-value head for each group of query heads (Ainslie et al. 2023).</summary>
internal sealed class Attention : DecoderModule
{
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _output;
    private readonly AttentionKernel _kernel;
    private readonly int _headCount;
    private readonly int _keyValueHeadCount;
    private readonly int _headSize;
    private readonly double _dropout;

    public Attention(DecoderContext context)
        : base(nameof(Attention))
    {
        (DecoderConfig config, TensorNames names) = (context.Config, context.Names);
        _headCount = config.HeadCount;
        _keyValueHeadCount = config.KeyValueHeadCount;
        _headSize = config.HeadSize;
        _dropout = config.AttentionDropout;
        _kernel = AttentionKernel.Create(context.Attention);
        _query = Register(names.Query, context.Linear(config.HiddenSize, _headCount * _headSize, config.QueryKeyValueBias));
        _key = Register(names.Key, context.Linear(config.HiddenSize, _keyValueHeadCount * _headSize, config.QueryKeyValueBias));
        _value = Register(names.Value, context.Linear(config.HiddenSize, _keyValueHeadCount * _headSize, config.QueryKeyValueBias));
        _output = Register(names.AttentionOutput, context.Linear(_headCount * _headSize, config.HiddenSize, config.AttentionOutputBias));
    }

    /// <summary>Attends from every token.</summary>
    /// <param name="hidden"><c>[batch, seq, hidden]</c>.</param>
    /// <param name="rotary">The turns of the tokens' positions.</param>
    /// <param name="mask">Which keys a token sees.</param>
    /// <param name="cache">The keys and values of earlier tokens, or null.</param>
    /// <param name="layer">The layer's number, for the cache.</param>
    /// <param name="weights"><c>[batch, heads, seq, keys]</c> where the kernel gives them.</param>
    /// <returns><c>[batch, seq, hidden]</c>.</returns>
    public Tensor Forward(Tensor hidden, RotaryTable rotary, LayerMask mask, KeyValueCache? cache, int layer, out Tensor? weights)
    {
        using var scope = NewDisposeScope();
        Tensor queries = rotary.Rotate(Heads(_query.forward(hidden), _headCount));
        Tensor keys = rotary.Rotate(Heads(_key.forward(hidden), _keyValueHeadCount));
        Tensor values = Heads(_value.forward(hidden), _keyValueHeadCount);
        if (cache is not null) (keys, values) = cache.Append(layer, keys, values);
        return Attend(queries, keys, values, mask, out weights).MoveToOuterDisposeScope();
    }

    /// <summary>Attends from one token of each row to all tokens of the row.</summary>
    /// <param name="hidden"><c>[batch, seq, hidden]</c>: what keys and values are made of.</param>
    /// <param name="rotary">The turns of the tokens' positions.</param>
    /// <param name="pooled"><c>[batch, 1, hidden]</c>: what queries are made of.</param>
    /// <param name="pooledRotary">The turns of the chosen tokens' positions.</param>
    /// <param name="mask">Which keys the chosen tokens see.</param>
    /// <returns><c>[batch, 1, hidden]</c>.</returns>
    public Tensor ForwardPooled(Tensor hidden, RotaryTable rotary, Tensor pooled, RotaryTable pooledRotary, LayerMask mask)
    {
        using var scope = NewDisposeScope();
        Tensor queries = pooledRotary.Rotate(Heads(_query.forward(pooled), _headCount));
        Tensor keys = rotary.Rotate(Heads(_key.forward(hidden), _keyValueHeadCount));
        Tensor values = Heads(_value.forward(hidden), _keyValueHeadCount);
        return Attend(queries, keys, values, mask, out _).MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor queries, Tensor keys, Tensor values, LayerMask mask, out Tensor? weights)
    {
        Tensor attended = _kernel.Attend(queries, keys, values, mask, training ? _dropout : 0, out weights);
        weights?.MoveToOuterDisposeScope();

        // [batch, heads, seq, head] -> [batch, seq, heads · head]
        Tensor joined = attended.transpose(1, 2).reshape(attended.shape[0], attended.shape[2], _headCount * _headSize);
        return _output.forward(joined);
    }

    /// <summary><c>[batch, seq, heads · head] -> [batch, heads, seq, head]</c>.</summary>
    private Tensor Heads(Tensor projected, int count) => projected.view(projected.shape[0], projected.shape[1], count, _headSize).transpose(1, 2);
}
