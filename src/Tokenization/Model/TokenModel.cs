namespace MLComponents.Tokenization;

/// <summary>tokenizer.json's <c>model</c>: turns one piece of text into token ids. Thread-safe.</summary>
internal abstract class TokenModel(Vocabulary vocabulary)
{
    /// <summary>The tokens of the model, added tokens not included.</summary>
    public Vocabulary Vocabulary { get; } = vocabulary;

    /// <summary>Appends the ids of a piece.</summary>
    public abstract void Encode(ReadOnlySpan<char> piece, IdBuffer ids);

    /// <summary>Appends the ids of a piece and, for every one, the range of the piece's UTF-16 units it covers.</summary>
    public abstract void Encode(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans spans);
}
