using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Hidden states to queries, keys and values. Its matrices are registered with the attention that it belongs to.</summary>
internal abstract class QueryKeyValueProjection
{
    /// <summary>The projection that a configuration asks for.</summary>
    /// <param name="context">The configuration and the names.</param>
    /// <param name="register">Registers a matrix under a name and returns it.</param>
    public static QueryKeyValueProjection Create(DecoderContext context, Func<string, Linear, Linear> register) => context.Config.QueryKeyValueLayout switch
    {
        QueryKeyValueLayout.Separate => new SeparateProjection(context, register),
        QueryKeyValueLayout.Stacked => new StackedProjection(context, register),
        QueryKeyValueLayout.Interleaved => new InterleavedProjection(context, register),
        var other => throw new ArgumentOutOfRangeException(nameof(context), other, "Not a layout of projections."),
    };

    /// <summary>Projects every token.</summary>
    /// <param name="hidden"><c>[batch, seq, hidden]</c>.</param>
    /// <returns>Queries <c>[batch, heads, seq, head]</c>, keys and values <c>[batch, key-value heads, seq, head]</c>, in the current dispose scope.</returns>
    public abstract (Tensor Queries, Tensor Keys, Tensor Values) Project(Tensor hidden);

    /// <summary>Projects every token to a key and a value, and one token of each row to a query.</summary>
    /// <param name="hidden"><c>[batch, seq, hidden]</c>.</param>
    /// <param name="positions">Which token of each row, <c>[batch, 1]</c>.</param>
    /// <returns>Queries <c>[batch, heads, 1, head]</c>, keys and values as <see cref="Project"/>.</returns>
    public abstract (Tensor Queries, Tensor Keys, Tensor Values) ProjectPooled(Tensor hidden, Tensor positions);

    /// <summary><c>[batch, seq, heads · head] -> [batch, heads, seq, head]</c>.</summary>
    private protected static Tensor Heads(Tensor projected, int count, int size) =>
        projected.view(projected.shape[0], projected.shape[1], count, size).transpose(1, 2);
}

/// <summary>A matrix for each of the three.</summary>
internal sealed class SeparateProjection(DecoderContext context, Func<string, Linear, Linear> register) : QueryKeyValueProjection
{
    private readonly DecoderConfig _config = context.Config;
    private readonly Linear _query = register(context.Names.Query, context.QueryKeyValue(context.Config.HeadCount));
    private readonly Linear _key = register(context.Names.Key, context.QueryKeyValue(context.Config.KeyValueHeadCount));
    private readonly Linear _value = register(context.Names.Value, context.QueryKeyValue(context.Config.KeyValueHeadCount));

    /// <inheritdoc/>
    public override (Tensor Queries, Tensor Keys, Tensor Values) Project(Tensor hidden) => (Queries(hidden), Keys(hidden), Values(hidden));

    /// <inheritdoc/>
    public override (Tensor Queries, Tensor Keys, Tensor Values) ProjectPooled(Tensor hidden, Tensor positions) =>
        (Queries(hidden.gather(1, positions.unsqueeze(-1).expand(-1, -1, hidden.shape[2]))), Keys(hidden), Values(hidden));

    private Tensor Queries(Tensor hidden) => Heads(_query.forward(hidden), _config.HeadCount, _config.HeadSize);

    private Tensor Keys(Tensor hidden) => Heads(_key.forward(hidden), _config.KeyValueHeadCount, _config.HeadSize);

    private Tensor Values(Tensor hidden) => Heads(_value.forward(hidden), _config.KeyValueHeadCount, _config.HeadSize);
}

/// <summary>One matrix for all three; what it gives has to be taken apart.</summary>
internal abstract class FusedProjection(DecoderContext context, Func<string, Linear, Linear> register) : QueryKeyValueProjection
{
    private readonly Linear _projection =
        register(context.Names.QueryKeyValue, context.QueryKeyValue(context.Config.HeadCount + (2 * context.Config.KeyValueHeadCount)));

    private protected DecoderConfig Config { get; } = context.Config;

    /// <inheritdoc/>
    public override (Tensor Queries, Tensor Keys, Tensor Values) Project(Tensor hidden) => Split(_projection.forward(hidden));

    /// <inheritdoc/>
    public override (Tensor Queries, Tensor Keys, Tensor Values) ProjectPooled(Tensor hidden, Tensor positions)
    {
        var (queries, keys, values) = Project(hidden);
        Tensor index = positions.unsqueeze(1).unsqueeze(-1).expand(-1, queries.shape[1], -1, queries.shape[3]);
        return (queries.gather(2, index), keys, values);
    }

    /// <summary>Takes <c>[batch, seq, (heads + 2 · key-value heads) · head]</c> apart.</summary>
    private protected abstract (Tensor Queries, Tensor Keys, Tensor Values) Split(Tensor projected);
}

/// <summary>All queries, then all keys, then all values.</summary>
internal sealed class StackedProjection(DecoderContext context, Func<string, Linear, Linear> register) : FusedProjection(context, register)
{
    /// <inheritdoc/>
    private protected override (Tensor Queries, Tensor Keys, Tensor Values) Split(Tensor projected)
    {
        return (Part(0, Config.HeadCount), Part(Config.HeadCount, Config.KeyValueHeadCount), Part(Config.HeadCount + Config.KeyValueHeadCount, Config.KeyValueHeadCount));

        Tensor Part(int first, int count) => Heads(projected.narrow(2, (long)first * Config.HeadSize, (long)count * Config.HeadSize), count, Config.HeadSize);
    }
}

/// <summary>For each head its query, its key and its value.</summary>
internal sealed class InterleavedProjection(DecoderContext context, Func<string, Linear, Linear> register) : FusedProjection(context, register)
{
    /// <inheritdoc/>
    private protected override (Tensor Queries, Tensor Keys, Tensor Values) Split(Tensor projected)
    {
        // [batch, seq, heads, 3, head]
        Tensor heads = projected.view(projected.shape[0], projected.shape[1], Config.HeadCount, 3, Config.HeadSize);
        return (Part(0), Part(1), Part(2));

        Tensor Part(int which) => heads.select(3, which).transpose(1, 2);
    }
}
