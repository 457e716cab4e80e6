namespace MLComponents.Transforms;

/// <summary>A model that turns texts into one row of logits each: all that the scoring transformer knows of it.</summary>
internal interface ITextScorer : IModelScorer
{
    /// <summary>Logits per text.</summary>
    int OutputCount { get; }

    /// <summary>Most tokens of a text, or of a pair.</summary>
    int MaxLength { get; }

    /// <summary>Token ids of a text or a pair of texts, cut to <see cref="MaxLength"/>. Safe to call from several threads.</summary>
    EncodedText Encode(TextInput input);

    /// <summary>Runs the model once. Called by one thread at a time.</summary>
    /// <param name="rows">Token ids, at least one row and at least one id per row.</param>
    /// <returns>Per row its logits, <see cref="OutputCount"/> each.</returns>
    float[][] Forward(IReadOnlyList<int[]> rows);
}
