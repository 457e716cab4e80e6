namespace MLComponents.Models;

/// <summary>Which biases of the base model an adapter trains and stores.</summary>
public enum LoraBias
{
    /// <summary>None.</summary>
    None,

    /// <summary>All biases of the model.</summary>
    All,

    /// <summary>The biases of the modules that it adapts.</summary>
    LoraOnly,
}
