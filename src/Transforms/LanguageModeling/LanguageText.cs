namespace MLComponents.Transforms;

/// <summary>A row of texts for a language model.</summary>
/// <param name="Prompt">What stands before the text and is not learnt; null where there is no such column.</param>
/// <param name="Text">The text.</param>
internal readonly record struct LanguageText(string? Prompt, string Text);
