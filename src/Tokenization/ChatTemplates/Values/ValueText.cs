using System.Globalization;
using System.Numerics;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Values as text, as Python's str and repr write them.</summary>
internal static class ValueText
{
    /// <summary>What printing a value gives.</summary>
    public static string Str(RenderContext context, object? value)
    {
        switch (value)
        {
            case string text: return text;
            case MarkupText markup: return markup.Text;
            case UndefinedValue: return "";
            default: return Plain(value) ?? Repr(context, value);
        }
    }

    /// <summary>The text of a number, a truth value or None; null for other values.</summary>
    public static string? Plain(object? value) => value switch
    {
        null => "None",
        bool truth => truth ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => Numbers.Repr(number),
        BigInteger number => number.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    public static string Repr(RenderContext context, object? value)
    {
        var text = new StringBuilder();
        WriteRepr(context, value, text);
        return context.Made(text.ToString());
    }

    /// <summary>A string with quotes and escapes.</summary>
    public static string Quote(string text)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var quoted = new StringBuilder(text.Length + 2).Append(quote);
        for (int index = 0; index < text.Length;)
        {
            int width = CodePointText.Width(text, index);
            char character = text[index];
            if (character == quote || character == '\\') quoted.Append('\\').Append(character);
            else if (character is >= ' ' and < '\x7F') quoted.Append(character);
            else if (character == '\n') quoted.Append("\\n");
            else if (character == '\r') quoted.Append("\\r");
            else if (character == '\t') quoted.Append("\\t");
            else if (width == 1 ? IsPrintable(character) : IsPrintable(char.ConvertToUtf32(character, text[index + 1]))) quoted.Append(text, index, width);
            else if (width == 2) quoted.Append(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(character, text[index + 1]):x8}");
            else quoted.Append(character <= 0xFF ? $"\\x{(int)character:x2}" : $"\\u{(int)character:x4}");
            index += width;
        }

        return quoted.Append(quote).ToString();
    }

    public static bool IsPrintable(int codePoint) => codePoint == ' ' || CharUnicodeInfo.GetUnicodeCategory(codePoint) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    private static void WriteRepr(RenderContext context, object? value, StringBuilder text)
    {
        context.Step();
        if (text.Length > context.MaxText) context.Charge(text.Length);
        switch (value)
        {
            case string inner: text.Append(Quote(inner)); break;
            case MarkupText markup: text.Append("Markup(").Append(Quote(markup.Text)).Append(')'); break;
            case UndefinedValue: text.Append("Undefined"); break;
            case ListValue list: WriteItems(context, "[", list.Items, "]", text); break;
            case TupleValue { Items.Length: 1 } tuple: WriteItems(context, "(", tuple.Items, ",)", text); break;
            case TupleValue tuple: WriteItems(context, "(", tuple.Items, ")", text); break;
            case DictValue dict: WriteDict(context, dict, text); break;
            case DictView view: WriteItems(context, $"dict_{view.Kind}([", view.Items, "])", text); break;
            case RangeValue range: text.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}{(range.Step == 1 ? "" : $", {range.Step}")})"); break;
            case NamespaceValue space:
                text.Append("<Namespace ");
                WriteDict(context, space.Attributes, text);
                text.Append('>');
                break;
            case LoopValue loop: text.Append(CultureInfo.InvariantCulture, $"<LoopContext {loop.Index}/{loop.Length}>"); break;
            case MacroValue macro: text.Append(macro.Name is null ? "<Macro anonymous>" : $"<Macro {Quote(macro.Name)}>"); break;
            case CallableValue callable: text.Append(callable.TypeName == "type" ? $"<class '{callable.Name}'>" : $"<{callable.TypeName.Replace("_or_method", " method").Replace('_', '-')} {callable.Name}>"); break;
            case TemplateValue: text.Append("<TemplateReference None>"); break;
            case IteratorValue or CyclerValue: text.Append($"<{ValueTypes.Name(value)} object>"); break;
            default: text.Append(Plain(value)); break;
        }
    }

    private static void WriteItems(RenderContext context, string open, IEnumerable<object?> items, string close, StringBuilder text)
    {
        text.Append(open);
        string separator = "";
        foreach (object? item in items)
        {
            text.Append(separator);
            WriteRepr(context, item, text);
            separator = ", ";
        }

        text.Append(close);
    }

    private static void WriteDict(RenderContext context, DictValue dict, StringBuilder text)
    {
        text.Append('{');
        string separator = "";
        foreach ((object? key, object? item) in dict.Pairs)
        {
            text.Append(separator);
            WriteRepr(context, key, text);
            text.Append(": ");
            WriteRepr(context, item, text);
            separator = ", ";
        }

        text.Append('}');
    }
}
