using TorchSharp;
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

    /// <summary>What takes the gradient of the vectors that a pass reads, in place of the weight's own; null for the weight's own.</summary>
    public RowGradient? RowGradient { get; set; }

    /// <summary>Creates an embedding; the vector of a frozen id gets no gradient.</summary>
    public static TokenEmbedding Create(int vocabularySize, int size, int? frozenId, ScalarType dtype, Device device) =>
        frozenId is { } id ? new PartlyFrozenEmbedding(vocabularySize, size, id, dtype, device) : new TokenEmbedding(vocabularySize, size, dtype, device);

    /// <summary><c>[batch, seq] -> [batch, seq, size]</c>.</summary>
    /// <exception cref="ArgumentException">The ids are not Int64 or Int32.</exception>
    /// <exception cref="ArgumentOutOfRangeException">On the CPU: an id has no vector. Elsewhere looking would mean waiting for the device.</exception>
    public override Tensor Compute(Tensor ids, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        if (ids.dtype is not (ScalarType.Int64 or ScalarType.Int32)) throw new ArgumentException($"The token ids have type {ids.dtype}; expected Int64 or Int32.", nameof(ids));
        if (ids.device_type == DeviceType.CPU && ids.NumberOfElements > 0 && (ids.min().ToInt64() < 0 || ids.max().ToInt64() >= weight.shape[0]))
            throw OutOfVocabulary(ids, weight.shape[0]);
        Tensor numbers = ids.reshape(-1);
        Tensor vectors = RowGradient is { } rows && ReferenceEquals(weight, Weight) && TensorRows.NeedsGradient(weight)
            ? EmbeddedRows.Apply(weight, numbers.to(ScalarType.Int64), rows)
            : weight.index_select(0, numbers);
        return vectors.view(ids.shape[0], ids.shape[1], -1).MoveToOuterDisposeScope();
    }

    private static ArgumentOutOfRangeException OutOfVocabulary(Tensor ids, long size)
    {
        long width = ids.shape[1];
        long[] values = ids.to(ScalarType.Int64).reshape(-1).data<long>().ToArray();
        int place = Array.FindIndex(values, id => id < 0 || id >= size);
        return new ArgumentOutOfRangeException(
            nameof(ids), values[place],
            $"The token id in row {place / width}, column {place % width} is not in the model's vocabulary; expected from 0 to {size - 1}. Is the tokenizer that of the model?");
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
