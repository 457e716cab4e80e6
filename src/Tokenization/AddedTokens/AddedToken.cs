namespace MLComponents.Tokenization;

/// <summary>A token that is looked for in the text itself, before the model sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="SingleWord">Whether it must not touch letters or digits.</param>
/// <param name="StripLeft">Whether it swallows white space before it.</param>
/// <param name="StripRight">Whether it swallows white space behind it.</param>
/// <param name="Normalized">Whether it is looked for in the normalized text.</param>
/// <param name="Special">Whether decoding can skip it.</param>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized, bool Special);
