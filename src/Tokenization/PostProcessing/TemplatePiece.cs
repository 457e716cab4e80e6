namespace MLComponents.Tokenization;

/// <summary>A piece of a template: one of the texts, or special tokens.</summary>
/// <param name="Sequence">The text (0 or 1), or -1 for special tokens.</param>
/// <param name="TypeId">The segment of its tokens.</param>
/// <param name="Tokens">The special tokens; one name may stand for several.</param>
internal sealed record TemplatePiece(int Sequence, int TypeId, IReadOnlyList<DraftToken> Tokens);
