namespace MLComponents.Tokenization;

/// <summary>tokenizer.json's <c>model</c>: turns one piece of text into token ids. Thread-safe.</summary>
internal abstract class TokenModel(Vocabulary vocabulary)
{
    /// <summary>The tokens of the model, added tokens not included.</summary>
    public Vocabulary Vocabulary { get; } = vocabulary;

    /// <summary>Appends the ids of a piece.</summary>
    /// <exception cref="InvalidOperationException">The piece cannot be written in the vocabulary, which has no unknown token.</exception>
    public abstract void Encode(ReadOnlySpan<char> piece, IdBuffer ids);

    /// <summary>Appends the ids of a piece and, for every one, the range of the piece's UTF-16 units it covers.</summary>
    /// <exception cref="InvalidOperationException">As above.</exception>
    public abstract void Encode(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans spans);

    /// <summary>How a token that covers a surface is written.</summary>
    public virtual string TokenText(int id, ReadOnlySpan<char> surface) => Vocabulary[id]!;

    /// <summary>The error that a text needs an unknown token and there is none.</summary>
    protected static InvalidOperationException NoUnknownToken(string model, ReadOnlySpan<char> piece) => new(
        $"The {model} model has no token for '{piece[..Math.Min(piece.Length, 40)]}' and no unknown token in its vocabulary.");
}
