using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Multi-head attention over rotary positions, with a key-value head for each group of query heads (Ainslie et al. 2023).</summary>
internal sealed class Attention : DecoderModule
{
    private readonly QueryKeyValueProjection _projection;
    private readonly Func<Tensor, Tensor> _queryNorm;
    private readonly Func<Tensor, Tensor> _keyNorm;
    private readonly Linear _output;
    private readonly AttentionKernel _kernel;
    private readonly int _width;
    private readonly double _dropout;

    public Attention(DecoderContext context)
        : base(nameof(Attention))
    {
        (DecoderConfig config, TensorNames names) = (context.Config, context.Names);
        _width = config.HeadCount * config.HeadSize;
        _dropout = config.AttentionDropout;
        _kernel = AttentionKernel.Create(context.Attention);
        _projection = QueryKeyValueProjection.Create(context, Register);
        _output = Register(names.AttentionOutput, context.Linear(_width, config.HiddenSize, config.AttentionOutputBias));
        _queryNorm = HeadNorm(names.QueryNorm);
        _keyNorm = HeadNorm(names.KeyNorm);

        Func<Tensor, Tensor> HeadNorm(string name) => config.QueryKeyNorm ? Register(name, context.HeadNorm()).forward : static heads => heads;
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
        var (queries, keys, values) = _projection.Project(hidden);
        queries = rotary.Rotate(_queryNorm(queries));
        keys = rotary.Rotate(_keyNorm(keys));
        if (cache is not null) (keys, values) = cache.Append(layer, keys, values);
        return Attend(queries, keys, values, mask, out weights).MoveToOuterDisposeScope();
    }

    /// <summary>Attends from one token of each row to all tokens of the row.</summary>
    /// <param name="hidden"><c>[batch, seq, hidden]</c>.</param>
    /// <param name="rotary">The turns of the tokens' positions.</param>
    /// <param name="positions">Which token of each row, <c>[batch, 1]</c>.</param>
    /// <param name="pooledRotary">The turns of the chosen tokens' positions.</param>
    /// <param name="mask">Which keys the chosen tokens see.</param>
    /// <returns><c>[batch, 1, hidden]</c>.</returns>
    public Tensor ForwardPooled(Tensor hidden, RotaryTable rotary, Tensor positions, RotaryTable pooledRotary, LayerMask mask)
    {
        using var scope = NewDisposeScope();
        var (queries, keys, values) = _projection.ProjectPooled(hidden, positions);
        queries = pooledRotary.Rotate(_queryNorm(queries));
        keys = rotary.Rotate(_keyNorm(keys));
        return Attend(queries, keys, values, mask, out _).MoveToOuterDisposeScope();
    }

    /// <summary>Attends from every token of several groups of texts.</summary>
    /// <param name="hidden">The groups behind each other, <c>[1, tokens, hidden]</c>.</param>
    /// <param name="rotary">The turns of the tokens' positions.</param>
    /// <param name="groups">The groups, and which keys a token of them sees.</param>
    /// <returns><c>[1, tokens, hidden]</c>.</returns>
    public Tensor Forward(Tensor hidden, RotaryTable rotary, IReadOnlyList<AttentionGroup> groups)
    {
        using var scope = NewDisposeScope();
        var (queries, keys, values) = _projection.Project(hidden);
        queries = rotary.Rotate(_queryNorm(queries));
        keys = rotary.Rotate(_keyNorm(keys));
        Tensor attended = _kernel.AttendGroups(queries, keys, values, groups, training ? _dropout : 0);
        return _output.forward(attended).MoveToOuterDisposeScope();
    }

    /// <summary>Attends from one token of each text of several groups to all tokens of its text.</summary>
    /// <param name="hidden">The groups behind each other, <c>[1, tokens, hidden]</c>.</param>
    /// <param name="rotary">The turns of the tokens' positions.</param>
    /// <param name="places">Where among all tokens the chosen ones are, <c>[1, texts]</c>, group after group.</param>
    /// <param name="pooledRotary">The turns of the chosen tokens' positions.</param>
    /// <param name="groups">The groups, and which keys of its text a chosen token sees.</param>
    /// <returns><c>[1, texts, hidden]</c>.</returns>
    public Tensor ForwardPooled(Tensor hidden, RotaryTable rotary, Tensor places, RotaryTable pooledRotary, IReadOnlyList<AttentionGroup> groups)
    {
        using var scope = NewDisposeScope();
        var (queries, keys, values) = _projection.ProjectPooled(hidden, places);
        queries = pooledRotary.Rotate(_queryNorm(queries));
        keys = rotary.Rotate(_keyNorm(keys));
        Tensor attended = _kernel.AttendGroups(queries, keys, values, groups, training ? _dropout : 0);
        return _output.forward(attended).MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor queries, Tensor keys, Tensor values, LayerMask mask, out Tensor? weights)
    {
        Tensor attended = _kernel.Attend(queries, keys, values, mask, training ? _dropout : 0, out weights);
        weights?.MoveToOuterDisposeScope();

        // [batch, heads, seq, head] -> [batch, seq, heads · head]
        return _output.forward(attended.transpose(1, 2).reshape(attended.shape[0], attended.shape[2], _width));
    }
}
