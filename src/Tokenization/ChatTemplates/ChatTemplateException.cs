namespace MLComponents.Tokenization;

/// <summary>A chat template that is wrong, or that cannot be rendered with what it was given.</summary>
public sealed class ChatTemplateException : Exception
{
    internal ChatTemplateException(ChatTemplateErrorKind kind, string reason, int line, int column, Exception? inner = null)
        : base(line > 0 ? $"{reason} (chat template, line {line}, column {column})" : reason, inner)
    {
        Kind = kind;
        Reason = reason;
        Line = line;
        Column = column;
    }

    /// <summary>What kind of error it is.</summary>
    public ChatTemplateErrorKind Kind { get; }

    /// <summary>What went wrong, without the place; for <see cref="ChatTemplateErrorKind.Raised"/> the text that the template gave.</summary>
    public string Reason { get; }

    /// <summary>The line of the template, from 1; 0 where the error belongs to no place in it.</summary>
    public int Line { get; }

    /// <summary>The column, in UTF-16 units from 1; 0 where the error belongs to no place.</summary>
    public int Column { get; }
}
