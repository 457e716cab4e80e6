namespace MLComponents.Tokenization;

/// <summary>
/// The last message where the text shall end inside of it: a mark is put behind its text, and what the template writes behind the mark is
/// cut off.
/// </summary>
internal sealed class ContinuedMessage
{
    private const string Tag = "CONTINUE_FINAL_MESSAGE_TAG ";

    private readonly string _text;

    private ContinuedMessage(string text) => _text = text;

    /// <summary>Puts the mark into the last message.</summary>
    public static ContinuedMessage Mark(List<DictValue> messages, string field, string template)
    {
        if (messages.Count == 0) throw new ArgumentException("There is no message to continue.", nameof(messages));
        DictValue message = messages[^1];
        if (!message.TryGet(field, out object? content) || content is null)
            throw new ArgumentException($"The last message cannot be continued: it has no {field}.", nameof(messages));
        if (!template.Contains(field, StringComparison.Ordinal))
            throw new ArgumentException($"The last message cannot be continued: the chat template does not read its field {field}.", nameof(messages));
        if (content is string text)
        {
            message.Set(field, text + Tag);
            return new ContinuedMessage(text);
        }

        DictValue? part = (content as ListValue)?.Items.OfType<DictValue>().LastOrDefault(candidate => candidate.TryGet("text", out _));
        if (part is null || !part.TryGet("text", out object? last) || last is not string lastText)
            throw new ArgumentException($"The last message cannot be continued: its {field} has no text.", nameof(messages));
        part.Set("text", lastText + Tag);
        return new ContinuedMessage(lastText);
    }

    /// <summary>The rendered text up to the end of the message.</summary>
    public string Cut(string rendered)
    {
        string mark = Tag.TrimEnd();
        int at = rendered.LastIndexOf(mark, StringComparison.Ordinal);
        if (at < 0 || !rendered.Contains(PythonText.Strip(_text), StringComparison.Ordinal))
            throw new ArgumentException("The last message cannot be continued: the chat template does not write it as it is.");
        bool exact = string.CompareOrdinal(rendered, at, Tag, 0, Tag.Length) == 0;
        return exact ? rendered[..at] : PythonText.Strip(rendered[..at], null, left: false, right: true);
    }
}
