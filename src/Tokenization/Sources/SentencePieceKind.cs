namespace MLComponents.Tokenization;

/// <summary>What a piece of a SentencePiece model is, with the numbers of its file format.</summary>
internal enum SentencePieceKind
{
    /// <summary>A piece of text.</summary>
    Normal = 1,

    /// <summary>What is written for unknown text.</summary>
    Unknown = 2,

    /// <summary>A token that no text becomes, such as the one that begins texts.</summary>
    Control = 3,

    /// <summary>A text that is always a token.</summary>
    UserDefined = 4,

    /// <summary>A place without a meaning.</summary>
    Unused = 5,

    /// <summary>A byte.</summary>
    Byte = 6,
}
