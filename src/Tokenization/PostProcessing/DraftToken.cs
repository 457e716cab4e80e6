namespace MLComponents.Tokenization;

/// <summary>One token of an encoding that is being put together.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text in the vocabulary's spelling.</param>
/// <param name="Start">Where in the original text it begins (UTF-16).</param>
/// <param name="End">Where in the original text it ends (UTF-16, exclusive).</param>
/// <param name="WordId">The piece it belongs to; null for what the post-processor adds.</param>
internal readonly record struct DraftToken(int Id, string Text, int Start, int End, int? WordId);
