namespace MLComponents.Transforms;

/// <summary>A model that turns each token into one row of logits: all that the transformer knows of it.</summary>
internal interface ITokenScorer : IModelScorer
{
    /// <summary>Logits per token.</summary>
    int OutputCount { get; }

    /// <summary>Encodes a text. Safe to call from several threads.</summary>
    TokenizedRow Encode(TokenizedText text);

    /// <summary>Runs the model once. Called by one thread at a time.</summary>
    /// <param name="rows">Token ids, at least one row and at least one id per row.</param>
    /// <returns>Per row the logits of its tokens one after the other, <see cref="OutputCount"/> each.</returns>
    float[][] Forward(IReadOnlyList<int[]> rows);
}
