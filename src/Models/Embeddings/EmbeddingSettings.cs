namespace MLComponents.Models;

/// <summary>How a <see cref="LanguageModelEmbeddingGenerator"/> makes vectors of texts.</summary>
public sealed record EmbeddingSettings
{
    /// <summary>The name under which embeddings and metadata know the model; null for that of its folder.</summary>
    public string? ModelId { get; init; }

    /// <summary>What becomes of the hidden states; <see cref="EmbeddingPooling.Mean"/> by default.</summary>
    public EmbeddingPooling Pooling { get; init; }

    /// <summary>Whether vectors are divided by their Euclidean length.</summary>
    public bool Normalize { get; init; }

    /// <summary>The most tokens of a text; null for what the model was made for.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Whether longer texts are cut, with the number of tokens that were left out under <c>truncated_tokens</c> in the embedding's additional properties; else they are refused.</summary>
    public bool Truncate { get; init; }

    /// <summary>The most tokens, padding included, that the model reads at a time; a longer text is read alone.</summary>
    public int BatchTokens { get; init; } = 4_096;
}
