using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Filters that make text.</summary>
internal static class TextFilters
{
    public static void AddTo(FilterTable table)
    {
        table.Add("string", "", (context, value, _) => value is MarkupText ? value : ValueText.Str(context, value));
        table.Add("safe", "", (context, value, _) => value is MarkupText ? value : new MarkupText(ValueText.Str(context, value)));
        table.Add("escape", "", (context, value, _) => value is MarkupText ? value : new MarkupText(context.Made(MarkupText.Escape(ValueText.Str(context, value)))));
        table.Alias("e", "escape");
        table.Add("forceescape", "", (context, value, _) => new MarkupText(context.Made(MarkupText.Escape(ValueText.Str(context, value)))));
        Method(table, "upper", "upper", "");
        Method(table, "lower", "lower", "");
        Method(table, "capitalize", "capitalize", "");
        Method(table, "trim", "strip", "chars?");
        table.Add("center", "width?", (context, value, a) => OnText(context, value, "center", new Arguments([a.Integer(0, 80)], [])));
        table.Add("title", "", (context, value, _) => Map(context, value, Title));
        table.Add("replace", "old new count?", (context, value, a) => context.Made(PythonText.Replace(context, ValueText.Str(context, value), ValueText.Str(context, a[0]), ValueText.Str(context, a[1]), a.Or(2, null) is null ? -1 : a.Integer(2))));
        table.Add("indent", "width? first? blank?", (context, value, a) => Indent(context, value, a));
        table.Add("truncate", "length? killwords? end? leeway?", Truncate);
        table.Add("wordwrap", "width? break_long_words? wrapstring? break_on_hyphens?", (context, value, a) => WordWrap.Wrap(
            context, ValueTypes.Text(value) ?? throw NoAttribute(value, "splitlines"), (int)Math.Clamp(a.Integer(0, 79), 0, int.MaxValue), a.Truth(1, true), a.Text(2) ?? "\n", a.Truth(3, true)));
        table.Add("wordcount", "", (context, value, _) => CountWords(ValueText.Str(context, value)));
        table.Add("format", "*args **kwargs", (context, value, a) =>
        {
            if (a.Rest(0).Length > 0 && a.Named(1).Count > 0) throw Fault.Runtime("can't handle positional and keyword arguments at the same time");
            var named = new DictValue(context);
            foreach ((string name, object? item) in a.Named(1)) named.Set(name, item);
            return Operators.Binary(context, "%", value is MarkupText ? value : ValueText.Str(context, value), named.Count > 0 ? named : new TupleValue(a.Rest(0)));
        });
        table.Add("striptags", "", (context, value, _) => StripTags(ValueText.Str(context, value)));
        table.Add("urlencode", "", UrlEncode);
        table.Add("tojson", "ensure_ascii? indent? separators? sort_keys?", ToJson);
        table.Add("filesizeformat", "binary?", FileSize);
        table.Add("pprint", "", (_, _, _) => throw Fault.Refused("The filter pprint"));
        table.Add("urlize", "*args **kwargs", (_, _, _) => throw Fault.Refused("The filter urlize"));
        table.Add("xmlattr", "autospace?", XmlAttributes);
    }

    private static void Method(FilterTable table, string filter, string method, string parameters) =>
        table.Add(filter, parameters, (context, value, a) => OnText(context, value, method, parameters.Length == 0 || !a.Has(0) ? Arguments.None : new Arguments([a[0]], [])));

    private static object? OnText(RenderContext context, object? value, string method, Arguments arguments)
    {
        object text = value as MarkupText ?? (object)ValueText.Str(context, value);
        return StringMethods.Find(text, method)!.Call(context, arguments);
    }

    private static object Map(RenderContext context, object? value, Func<string, string> change) =>
        value is MarkupText markup ? new MarkupText(change(markup.Text)) : change(ValueText.Str(context, value));

    // Unlike str.title: words begin behind white space, hyphens and opening brackets.
    private static string Title(string text)
    {
        var title = new StringBuilder();
        for (int start = 0; start < text.Length;)
        {
            int end = start;
            while (end < text.Length && IsBreak(text[end]) == IsBreak(text[start])) end++;
            string item = text[start..end];
            int width = CodePointText.Width(item, 0);
            title.Append(PythonText.Upper(item[..width])).Append(PythonText.Lower(item[width..]));
            start = end;
        }

        return title.ToString();

        static bool IsBreak(char character) => character is '-' or '(' or '{' or '[' or '<' || PythonText.IsSpace(character);
    }

    private static object Indent(RenderContext context, object? value, BoundArguments arguments)
    {
        if (value is UndefinedValue undefined) throw undefined.Failure();
        string text = ValueTypes.Text(value) ?? throw Fault.Type($"unsupported operand type(s) for +=: '{ValueTypes.Name(value)}' and 'str'");
        string indent;
        if (ValueTypes.Text(arguments.Or(0, 4L)) is { } given) indent = given;
        else
        {
            long width = Math.Max(0, arguments.Integer(0, 4));
            context.Charge(width);
            indent = new string(' ', (int)width);
        }

        bool blank = arguments.Truth(2);
        List<string> lines = PythonText.SplitLines(text + "\n", keepEnds: false);
        context.Charge(text.Length + ((long)lines.Count * (indent.Length + 1)));
        string indented = string.Join('\n', lines.Select((line, index) => index > 0 && (blank || line.Length > 0) ? indent + line : line));
        if (arguments.Truth(1)) indented = indent + indented;
        return value is MarkupText ? new MarkupText(indented) : indented;
    }

    private static object Truncate(RenderContext context, object? value, BoundArguments arguments)
    {
        long length = arguments.Integer(0, 255);
        string end = arguments.Has(2) ? arguments.RequiredText(2) : "...";
        long leeway = arguments.Or(3, null) is null ? 5 : arguments.Integer(3);
        int endLength = CodePointText.Length(end);
        if (length < endLength) throw Fault.Value($"expected length >= {endLength}, got {length}");
        if (leeway < 0) throw Fault.Value($"expected leeway >= 0, got {leeway}");
        if (Sequences.Length(value) <= length + leeway) return value!;
        string text = ValueTypes.Text(value) ?? throw Fault.Type($"'{ValueTypes.Name(value)}' object cannot be cut at a word");
        string kept = CodePointText.Part(text, 0, length - endLength);
        string result = (arguments.Truth(1) ? kept : PythonText.Split(kept, " ", 1, fromRight: true)[0]) + end;
        return value is MarkupText ? new MarkupText(result) : result;
    }

    private static long CountWords(string text)
    {
        long count = 0;
        bool inside = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool word = PythonText.IsWord(rune);
            if (word && !inside) count++;
            inside = word;
        }

        return count;
    }

    private static string StripTags(string text)
    {
        var stripped = new StringBuilder();
        for (int index = 0; index < text.Length;)
        {
            string comment = "<!--";
            int end = text[index] != '<' ? -1
                : string.CompareOrdinal(text, index, comment, 0, 4) == 0 && text.IndexOf("-->", index + 4, StringComparison.Ordinal) is var close and >= 0 ? close + 3
                : text.IndexOf('>', index) + 1;
            if (end > 0) index = end;
            else stripped.Append(text[index++]);
        }

        string joined = string.Join(' ', PythonText.SplitSpace(stripped.ToString(), -1, fromRight: false));
        return joined.Replace("&lt;", "<").Replace("&gt;", ">").Replace("&#39;", "'").Replace("&#34;", "\"").Replace("&quot;", "\"").Replace("&amp;", "&");
    }

    private static object UrlEncode(RenderContext context, object? value, BoundArguments arguments)
    {
        if (value is string or MarkupText || !Sequences.IsIterable(value)) return context.Made(Quote(ValueText.Str(context, value), "/"));
        IEnumerable<object?> pairs = value is DictValue dict ? new DictView(dict, "items").Items : Sequences.Iterate(value);
        return context.Made(string.Join('&', context.Collect(pairs).Select(pair =>
        {
            object?[] items = Unpacking.Unpack(context, pair, 2);
            return $"{Quote(ValueText.Str(context, items[0]), "").Replace("%20", "+")}={Quote(ValueText.Str(context, items[1]), "").Replace("%20", "+")}";
        })));

        static string Quote(string text, string kept)
        {
            var quoted = new StringBuilder();
            foreach (byte unit in System.Text.Encoding.UTF8.GetBytes(text))
            {
                char character = (char)unit;
                if (char.IsAsciiLetterOrDigit(character) || character is '_' or '.' or '-' or '~' || kept.Contains(character)) quoted.Append(character);
                else quoted.Append(CultureInfo.InvariantCulture, $"%{unit:X2}");
            }

            return quoted.ToString();
        }
    }

    private static object ToJson(RenderContext context, object? value, BoundArguments arguments)
    {
        string? indent = null;
        if (arguments.Or(1, null) is { } given)
        {
            indent = ValueTypes.Text(given);
            if (indent is null)
            {
                long width = Math.Max(0, arguments.Integer(1));
                context.Charge(width);
                indent = new string(' ', (int)width);
            }
        }

        (string item, string key) = indent is null ? (", ", ": ") : (",", ": ");
        if (arguments.Or(2, null) is { } separators)
        {
            object?[] pair = Unpacking.Unpack(context, separators, 2);
            item = ValueTypes.Text(pair[0]) ?? throw Fault.Type("separators must be strings");
            key = ValueTypes.Text(pair[1]) ?? throw Fault.Type("separators must be strings");
        }

        return new ValueJson(context, arguments.Truth(0), indent, item, key, arguments.Truth(3)).Write(value);
    }

    private static object FileSize(RenderContext context, object? value, BoundArguments arguments)
    {
        if (value is UndefinedValue undefined) throw undefined.Failure();
        bool binary = arguments.Truth(0);
        double size = NumberFilters.TryFloat(value, out double number) ? number : throw Fault.Value($"could not convert string to float: {ValueText.Repr(context, value)}");
        double step = binary ? 1024 : 1000;
        if (size == 1) return "1 Byte";
        if (size < step) return string.Create(CultureInfo.InvariantCulture, $"{Math.Truncate(size)} Bytes");
        double unit = step;
        string[] names = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
        int index = 0;
        for (; index < names.Length; index++)
        {
            unit *= step;
            if (size < unit) break;
        }

        string name = names[Math.Min(index, names.Length - 1)];
        return $"{Numbers.Fixed(step * size / unit, 1)} {(binary ? name.ToUpperInvariant() + "iB" : name + "B")}";
    }

    private static object XmlAttributes(RenderContext context, object? value, BoundArguments arguments)
    {
        if (value is not DictValue dict) throw NoAttribute(value, "items");
        var parts = new List<string>();
        foreach ((object? key, object? item) in dict.Pairs)
        {
            if (item is null or UndefinedValue) continue;
            string name = ValueTypes.Text(key) ?? throw Fault.Type("expected string or bytes-like object");
            if (name.AsSpan().ContainsAny(" \t\n\r\f\v/>=")) throw Fault.Value($"Invalid character in attribute name: {ValueText.Quote(name)}");
            parts.Add($"{MarkupText.Of(context, key)}=\"{MarkupText.Of(context, item)}\"");
        }

        string joined = string.Join(' ', parts);
        return context.Made(arguments.Truth(0, true) && joined.Length > 0 ? " " + joined : joined);
    }

    private static Fault NoAttribute(object? value, string name) => value is UndefinedValue undefined ? undefined.Failure() : Fault.Type($"'{ValueTypes.Name(value)}' object has no attribute '{name}'");
}
