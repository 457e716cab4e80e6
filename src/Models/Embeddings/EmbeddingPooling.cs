namespace MLComponents.Models;

/// <summary>What becomes of the final hidden states of a text's tokens.</summary>
public enum EmbeddingPooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>That of the last token, which has seen all others.</summary>
    LastToken,
}
