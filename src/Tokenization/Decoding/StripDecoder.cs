namespace MLComponents.Tokenization;

/// <summary><c>Strip</c>: removes a character from the ends of every token, up to so many times.</summary>
internal sealed class StripDecoder(int character, int start, int stop) : TokenDecoder
{
    private readonly string _character = char.ConvertFromUtf32(character);

    /// <summary>Whether it removes nothing at the end and at most one character at the start: the space that was put in front.</summary>
    public bool IsPrefixOnly => stop == 0 && start <= 1;

    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        for (int index = 0; index < tokens.Count; index++)
        {
            ReadOnlySpan<char> token = tokens[index];
            for (int count = 0; count < start && token.StartsWith(_character, StringComparison.Ordinal); count++) token = token[_character.Length..];
            for (int count = 0; count < stop && token.EndsWith(_character, StringComparison.Ordinal); count++) token = token[..^_character.Length];
            if (token.Length < tokens[index].Length) tokens[index] = token.ToString();
        }
    }
}
