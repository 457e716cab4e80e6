namespace MLComponents.Tokenization;

/// <summary>A conversation as the text that a model reads.</summary>
/// <param name="Text">The text.</param>
/// <param name="Generations">
/// The parts of the text, in UTF-16 units, that the template marks as written by the model (<c>{% generation %}</c>), in order. As in the
/// reference, those inside of macros and set blocks are placed where the text before the macro or block ended.
/// </param>
public sealed record RenderedChat(string Text, IReadOnlyList<Range> Generations);
