using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A vector for each token id.</summary>
internal class TokenEmbedding : WeightedModule
{
    /// <summary>An uninitialised embedding.</summary>
    public TokenEmbedding(int vocabularySize, int size, ScalarType dtype, Device device)
        : base(nameof(TokenEmbedding))
    {
        Weight = new Parameter(empty([vocabularySize, size], dtype, device));
        register_parameter("weight", Weight);
    }

    /// <summary><c>[vocabulary, size]</c>.</summary>
    public override Parameter Weight { get; }

    /// <summary>Creates an embedding; the vector of a frozen id gets no gradient.</summary>
    public static TokenEmbedding Create(int vocabularySize, int size, int? frozenId, ScalarType dtype, Device device) =>
        frozenId is { } id ? new PartlyFrozenEmbedding(vocabularySize, size, id, dtype, device) : new TokenEmbedding(vocabularySize, size, dtype, device);

    /// <summary><c>[batch, seq] -> [batch, seq, size]</c>.</summary>
    public override Tensor Compute(Tensor ids, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        return weight.index_select(0, ids.reshape(-1)).view(ids.shape[0], ids.shape[1], -1).MoveToOuterDisposeScope();
    }
}

/// <summary>An embedding with one id, that of padding, whose vector gets no gradient.</summary>
internal sealed class PartlyFrozenEmbedding(int vocabularySize, int size, int frozenId, ScalarType dtype, Device device)
    : TokenEmbedding(vocabularySize, size, dtype, device)
{
    /// <inheritdoc/>
    public override Tensor Compute(Tensor ids, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        Tensor vectors = base.Compute(ids, weight, bias);
        if (vectors.requires_grad) vectors = where((ids == frozenId).unsqueeze(-1), vectors.detach(), vectors);
        return vectors.MoveToOuterDisposeScope();
    }
}
