namespace MLComponents.Models;

/// <summary>What the matrices of a fresh adapter hold.</summary>
public enum LoraInitialization
{
    /// <summary>A from U(-1/√in, 1/√in) and B zero; of embeddings A zero and B from N(0, 1). The adapter changes nothing until it is trained.</summary>
    Default,

    /// <summary>As <see cref="Default"/>, but A from N(0, 1/rank²).</summary>
    Gaussian,

    /// <summary>A and B from U(-1/√in, 1/√in), of embeddings from N(0, 1): the adapter changes the model from the start. For trying things out.</summary>
    Random,
}
