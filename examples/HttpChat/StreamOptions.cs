namespace HttpChat;

/// <summary>What a stream has beside the reply.</summary>
/// <param name="IncludeUsage">Whether token counts come at its end.</param>
internal sealed record StreamOptions(bool IncludeUsage = false);
