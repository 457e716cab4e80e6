namespace MLComponents.Transforms;

/// <summary>A turn that shows a model what is wanted: what it is told, and what it should answer.</summary>
/// <param name="Input">What the user says.</param>
/// <param name="Output">What the model answers.</param>
public sealed record ChatExample(string Input, string Output);
