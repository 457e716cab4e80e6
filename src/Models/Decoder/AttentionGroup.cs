namespace MLComponents.Models;

/// <summary>A group of texts, and what its queries see.</summary>
/// <param name="Texts">The texts.</param>
/// <param name="Mask">Which keys of its text a query sees.</param>
internal readonly record struct AttentionGroup(TextGroup Texts, LayerMask Mask);
