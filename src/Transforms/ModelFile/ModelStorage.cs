namespace MLComponents.Transforms;

/// <summary>What a model file holds of a model that was trained with an adapter.</summary>
public enum ModelStorage
{
    /// <summary>Everything: the file is all that is needed.</summary>
    Embedded,

    /// <summary>
    /// The adapter, the tokenizer and a fingerprint of the base model, which is read from its folder again: from where it was, else from the folder of that name in
    /// the one that the environment variable <c>MLCOMPONENTS_BASE_MODELS</c> names. A base with other weights is refused.
    /// </summary>
    AdapterOnly,
}
