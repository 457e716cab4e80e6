namespace MLComponents.Models;

/// <summary>How the next tokens are found.</summary>
internal enum GenerationMode
{
    /// <summary>One after the other, the likeliest or drawn at random.</summary>
    Tokens,

    /// <summary>By a beam search, with or without sampling.</summary>
    Beams,

    /// <summary>By groups of beams that are to differ.</summary>
    DiverseBeams,

    /// <summary>By a beam search that ends with texts that hold certain tokens.</summary>
    ConstrainedBeams,

    /// <summary>The likeliest tokens that are not like the text so far.</summary>
    Contrastive,

    /// <summary>Proposed by a smaller model or found in the prompt, and checked by the model.</summary>
    Assisted,
}
