namespace MLComponents.Tokenization;

/// <summary>
/// Where a regular expression goes on when the present way fails. <c>At</c> below zero restores register <c>Limit</c> to
/// <c>Position</c>. Otherwise <c>Loop</c> below zero means a position that may shrink down to <c>Limit</c>; else it is a lazy loop that
/// may read <c>Limit</c> more.
/// </summary>
internal readonly record struct RegexChoice(int At, int Position, int Limit, int Loop);
