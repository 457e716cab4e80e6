using System.Text;

namespace MLComponents.Tokenization;

/// <summary><c>Replace</c>: writes a text in the place of every match of a pattern in every token.</summary>
internal sealed class ReplaceDecoder(TextPattern pattern, string content) : TokenDecoder
{
    /// <summary>Whether it makes no byte token such as &lt;0x41&gt; of what was none.</summary>
    public bool MakesNoByteToken => content.Length > 0 && content.AsSpan().IndexOfAny("<>x+0123456789abcdefABCDEF") < 0;

    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        for (int index = 0; index < tokens.Count; index++) tokens[index] = Rewrite(tokens[index]);
    }

    private string Rewrite(string token)
    {
        if (token.Length == 0) return token;
        var matches = new PatternMatches(pattern);
        if (!matches.Next(token, out int start, out int end)) return token;
        var text = new StringBuilder();
        int covered = 0;
        do
        {
            text.Append(token, covered, start - covered).Append(content);
            covered = end;
        }
        while (matches.Next(token, out start, out end));

        return text.Append(token, covered, token.Length - covered).ToString();
    }
}
