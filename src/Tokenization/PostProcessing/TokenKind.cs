namespace MLComponents.Tokenization;

/// <summary>Where a token comes from.</summary>
internal enum TokenKind : byte
{
    /// <summary>The text.</summary>
    Text,

    /// <summary>The post-processor.</summary>
    Special,

    /// <summary>Padding.</summary>
    Padding,
}
