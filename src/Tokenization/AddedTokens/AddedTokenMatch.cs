namespace MLComponents.Tokenization;

/// <summary>An added token found in a text.</summary>
/// <param name="Token">The token.</param>
/// <param name="Start">Where it begins, with the white space it swallows.</param>
/// <param name="End">Where it ends, with the white space it swallows.</param>
/// <param name="SearchFrom">Where the search for the next one goes on: behind its own text.</param>
internal readonly record struct AddedTokenMatch(AddedToken Token, int Start, int End, int SearchFrom);
