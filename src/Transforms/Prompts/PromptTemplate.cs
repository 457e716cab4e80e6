using System.Text;

namespace MLComponents.Transforms;

/// <summary>
/// A text with placeholders: <c>{Column}</c>, <c>{Column:format}</c>, and <c>{{</c>, <c>}}</c> for braces. A name with braces, a
/// colon, quotes or spaces at its ends is quoted, <c>{"odd: name"}</c> or <c>{'odd: name'}</c>, with the quote doubled inside.
/// </summary>
internal sealed class PromptTemplate
{
    private PromptTemplate(string text, List<Line> lines)
    {
        Text = text;
        Lines = lines;
        Placeholders = [.. lines.SelectMany(line => line.Parts).Select(part => part.Placeholder).OfType<PromptPlaceholder>()];
        LiteralCharacters = lines.Sum(line => line.Parts.Sum(part => part.Literal.Length));
    }

    /// <summary>The template as it was written.</summary>
    public string Text { get; }

    /// <summary>The placeholders in their order; a column may appear more than once.</summary>
    public IReadOnlyList<PromptPlaceholder> Placeholders { get; }

    /// <summary>Characters outside the placeholders.</summary>
    public int LiteralCharacters { get; }

    /// <summary>The parts by line of the template; a line break ends the line that it belongs to.</summary>
    internal IReadOnlyList<Line> Lines { get; }

    /// <summary>Reads a template.</summary>
    /// <exception cref="ArgumentException">A brace without its partner, or an empty or badly quoted column name; the message has the position.</exception>
    public static PromptTemplate Parse(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        var lines = new List<Line>();
        var parts = new List<Part>();
        var literal = new StringBuilder();
        void EndLiteral()
        {
            if (literal.Length > 0) parts.Add(new(literal.ToString(), null));
            literal.Clear();
        }
        void EndLine()
        {
            EndLiteral();
            if (parts.Count > 0) lines.Add(new([.. parts]));
            parts.Clear();
        }

        for (int at = 0; at < template.Length;)
        {
            char c = template[at];
            bool doubled = at + 1 < template.Length && template[at + 1] == c;
            if (c is '{' or '}' && doubled)
            {
                literal.Append(c);
                at += 2;
            }
            else if (c == '{')
            {
                EndLiteral();
                parts.Add(new("", ReadPlaceholder(template, ref at)));
            }
            else if (c == '}')
            {
                throw Malformed(at, "'}' closes nothing; write '}}' for a brace");
            }
            else
            {
                literal.Append(c);
                at++;
                if (c == '\n') EndLine();
            }
        }
        EndLine();
        return new PromptTemplate(template, lines);
    }

    private static PromptPlaceholder ReadPlaceholder(string template, ref int at)
    {
        int open = at++;
        string column;
        if (at < template.Length && template[at] is '"' or '\'')
        {
            column = ReadQuoted(template, ref at);
        }
        else
        {
            int end = template.AsSpan(at).IndexOfAny("{}:") is >= 0 and int length ? at + length : throw Unclosed(open);
            if (template[end] == '{') throw Malformed(end, "'{' inside a placeholder; quote the column name where it has one");
            column = template[at..end].Trim();
            at = end;
            if (column.Length == 0) throw Malformed(open, "the placeholder names no column");
        }

        while (at < template.Length && template[at] == ' ') at++;
        if (at == template.Length) throw Unclosed(open);
        if (template[at] == '}')
        {
            at++;
            return new PromptPlaceholder(column, null);
        }
        if (template[at] != ':') throw Malformed(at, $"expected ':' or '}}' after the column name, found '{template[at]}'");
        at++;
        var format = new StringBuilder();
        for (; at < template.Length; at++)
        {
            char c = template[at];
            bool doubled = at + 1 < template.Length && template[at + 1] == c;
            if (c is '{' or '}' && doubled)
            {
                at++;
            }
            else if (c == '}')
            {
                at++;
                return format.Length > 0 ? new PromptPlaceholder(column, format.ToString()) : throw Malformed(open, "the format after ':' is empty");
            }
            else if (c == '{')
            {
                throw Malformed(at, "'{' inside a format; write '{{' for a brace");
            }
            format.Append(c);
        }
        throw Unclosed(open);
    }

    private static string ReadQuoted(string template, ref int at)
    {
        int open = at;
        char quote = template[at++];
        var name = new StringBuilder();
        for (; at < template.Length; at++)
        {
            if (template[at] == quote)
            {
                bool doubled = at + 1 < template.Length && template[at + 1] == quote;
                at++;
                if (!doubled) return name.Length > 0 ? name.ToString() : throw Malformed(open, "the placeholder names no column");
            }
            name.Append(template[at]);
        }
        throw Malformed(open, $"the quote {quote} is never closed");
    }

    private static ArgumentException Unclosed(int open) => Malformed(open, "'{' is never closed; write '{{' for a brace");

    private static ArgumentException Malformed(int position, string what, string parameter = "template") =>
        new($"Malformed template at position {position}: {what}.", parameter);

    /// <summary>Text as it is, or a placeholder.</summary>
    internal readonly record struct Part(string Literal, PromptPlaceholder? Placeholder);

    /// <summary>The parts of one line, its line break included.</summary>
    internal sealed record Line(Part[] Parts)
    {
        public bool HasPlaceholders { get; } = Parts.Any(part => part.Placeholder is not null);
    }
}
