namespace MLComponents.Tokenization;

/// <summary>One token of an encoding that is being put together.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text in the vocabulary's spelling.</param>
/// <param name="Start">Where in its source it begins (UTF-16).</param>
/// <param name="End">Where in its source it ends (UTF-16, exclusive).</param>
/// <param name="Word">The piece it belongs to; -1 for what was added to the text.</param>
/// <param name="TypeId">Its segment, as models with segment embeddings number them.</param>
/// <param name="Kind">Where it comes from.</param>
/// <param name="Source">The text or word that the offsets are of, in the order of all sources; -1 for none.</param>
internal readonly record struct DraftToken(int Id, string Text, int Start, int End, int Word, int TypeId, TokenKind Kind, int Source);
