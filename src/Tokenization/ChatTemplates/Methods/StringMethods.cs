using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>The methods of strings.</summary>
internal static class StringMethods
{
    private delegate object? Body(RenderContext context, string text, BoundArguments arguments);

    private static readonly Dictionary<string, (Signature Signature, Body Body)> Methods = new();

    static StringMethods()
    {
        Add("strip", "chars?", (_, text, a) => PythonText.Strip(text, a.Text(0), left: true, right: true));
        Add("lstrip", "chars?", (_, text, a) => PythonText.Strip(text, a.Text(0), left: true, right: false));
        Add("rstrip", "chars?", (_, text, a) => PythonText.Strip(text, a.Text(0), left: false, right: true));
        Add("upper", "", (_, text, _) => PythonText.Upper(text));
        Add("lower", "", (_, text, _) => PythonText.Lower(text));
        Add("casefold", "", (_, text, _) => PythonText.Lower(PythonText.Upper(text)).Replace('\u03C2', '\u03C3'));
        Add("title", "", (_, text, _) => PythonText.Title(text));
        Add("capitalize", "", (_, text, _) => PythonText.Capitalize(text));
        Add("swapcase", "", (_, text, _) => PythonText.SwapCase(text));
        Add("startswith", "prefix start? end?", (_, text, a) => Affix(text, a, (part, affix) => part.StartsWith(affix, StringComparison.Ordinal), "startswith"));
        Add("endswith", "suffix start? end?", (_, text, a) => Affix(text, a, (part, affix) => part.EndsWith(affix, StringComparison.Ordinal), "endswith"));
        Add("removeprefix", "prefix", (_, text, a) => text.StartsWith(a.RequiredText(0), StringComparison.Ordinal) ? text[a.RequiredText(0).Length..] : text);
        Add("removesuffix", "suffix", (_, text, a) => text.EndsWith(a.RequiredText(0), StringComparison.Ordinal) ? text[..^a.RequiredText(0).Length] : text);
        Add("replace", "old new count?", (context, text, a) => PythonText.Replace(context, text, a.RequiredText(0), a.RequiredText(1), a.Integer(2, -1)));
        Add("split", "sep? maxsplit?", (context, text, a) => Split(context, text, a, fromRight: false));
        Add("rsplit", "sep? maxsplit?", (context, text, a) => Split(context, text, a, fromRight: true));
        Add("splitlines", "keepends?", (context, text, a) => List(context, PythonText.SplitLines(text, a.Truth(0))));
        Add("partition", "sep", (_, text, a) => Partition(text, a.RequiredText(0), text.IndexOf(a.RequiredText(0), StringComparison.Ordinal), first: true));
        Add("rpartition", "sep", (_, text, a) => Partition(text, a.RequiredText(0), text.LastIndexOf(a.RequiredText(0), StringComparison.Ordinal), first: false));
        Add("join", "iterable", Join);
        Add("find", "sub start? end?", (_, text, a) => Find(text, a, fromRight: false));
        Add("rfind", "sub start? end?", (_, text, a) => Find(text, a, fromRight: true));
        Add("index", "sub start? end?", (_, text, a) => Find(text, a, fromRight: false) is >= 0 and var found ? found : throw Fault.Value("substring not found"));
        Add("rindex", "sub start? end?", (_, text, a) => Find(text, a, fromRight: true) is >= 0 and var found ? found : throw Fault.Value("substring not found"));
        Add("count", "sub start? end?", Count);
        Add("format", "*args **kwargs", (context, text, a) => new BraceFormat(context, a.Rest(0), a.Named(1)).Format(text));
        Add("format_map", "mapping", (context, text, a) => a[0] is DictValue dict
            ? new BraceFormat(context, [], [.. dict.Pairs.Where(pair => pair.Key is string).Select(pair => KeyValuePair.Create((string)pair.Key!, pair.Value))]).Format(text)
            : throw Fault.Type("format_map() takes a mapping"));
        Add("center", "width fillchar?", (context, text, a) => Justify(context, text, a, (missing, width) => (missing / 2) + (missing & width & 1)));
        Add("ljust", "width fillchar?", (context, text, a) => Justify(context, text, a, (_, _) => 0));
        Add("rjust", "width fillchar?", (context, text, a) => Justify(context, text, a, (missing, _) => missing));
        Add("zfill", "width", (context, text, a) =>
        {
            long missing = a.Integer(0) - CodePointText.Length(text);
            if (missing <= 0) return text;
            context.Charge(missing);
            int sign = text.Length > 0 && text[0] is '+' or '-' ? 1 : 0;
            return text[..sign] + new string('0', (int)missing) + text[sign..];
        });
        Add("expandtabs", "tabsize?", ExpandTabs);
        Add("isalpha", "", (_, text, _) => All(text, character => char.IsLetter(character, 0)));
        Add("isdigit", "", (_, text, _) => All(text, character => CharUnicodeInfo.GetDigitValue(character, 0) >= 0));
        Add("isdecimal", "", (_, text, _) => All(text, character => PythonText.Category(character) == UnicodeCategory.DecimalDigitNumber));
        Add("isnumeric", "", (_, text, _) => All(text, character => CharUnicodeInfo.GetNumericValue(character, 0) >= 0));
        Add("isalnum", "", (_, text, _) => All(text, character => char.IsLetter(character, 0) || CharUnicodeInfo.GetNumericValue(character, 0) >= 0));
        Add("isspace", "", (_, text, _) => All(text, character => PythonText.IsSpace(character[0])));
        Add("isascii", "", (_, text, _) => text.All(char.IsAscii));
        Add("isprintable", "", (_, text, _) => text.Length == 0 || All(text, character => char.IsSurrogate(character[0]) ? character.Length == 2 && ValueText.IsPrintable(char.ConvertToUtf32(character, 0)) : ValueText.IsPrintable(character[0])));
        Add("isupper", "", (_, text, _) => IsUpper(text));
        Add("islower", "", (_, text, _) => IsLower(text));
        Add("istitle", "", (_, text, _) => text.Any(character => PythonText.HasCase(character.ToString())) && PythonText.Title(text) == text);
        Add("isidentifier", "", (_, text, _) => PythonText.IsIdentifier(text));
    }

    public static bool IsUpper(string text) => Any(text, PythonText.IsUpper) && !Any(text, character => PythonText.IsLower(character) || PythonText.Category(character) == UnicodeCategory.TitlecaseLetter);

    public static bool IsLower(string text) => Any(text, PythonText.IsLower) && !Any(text, character => PythonText.IsUpper(character) || PythonText.Category(character) == UnicodeCategory.TitlecaseLetter);

    /// <summary>The method of a string with a name; null where there is none.</summary>
    public static CallableValue? Find(object owner, string name)
    {
        if (!Methods.TryGetValue(name, out (Signature Signature, Body Body) method)) return null;
        string text = ValueTypes.Text(owner)!;
        if (owner is string) return new FunctionValue("builtin_function_or_method", method.Signature, (context, arguments) => method.Body(context, text, arguments));
        return new FunctionValue("method", method.Signature, (context, arguments) => OnMarkup(context, name, text, arguments, method.Body));
    }

    /// <summary>Strings as a list.</summary>
    public static ListValue List(RenderContext context, List<string> parts)
    {
        context.Charge(parts.Sum(part => (long)part.Length + 1));
        return new ListValue([.. parts]);
    }

    private static void Add(string name, string parameters, Body body) => Methods[name] = (new Signature(name, parameters), body);

    // Texts marked as HTML stay marked, and what comes into them is escaped.
    private static object? OnMarkup(RenderContext context, string name, string text, BoundArguments arguments, Body body)
    {
        object? result = name switch
        {
            "format" => new BraceFormat(context, arguments.Rest(0), arguments.Named(1), escape: true).Format(text),
            "join" => string.Join(text, context.Collect(Sequences.Iterate(arguments[0])).Select(item => MarkupText.Of(context, item))),
            "replace" => PythonText.Replace(context, text, arguments.RequiredText(0), MarkupText.Of(context, arguments[1]), arguments.Integer(2, -1)),
            _ => body(context, text, arguments),
        };
        return result switch
        {
            string changed => new MarkupText(changed),
            SequenceValue sequence => sequence.With([.. sequence.Items.Select(item => new MarkupText((string)item!))]),
            _ => result,
        };
    }

    private static object Split(RenderContext context, string text, BoundArguments arguments, bool fromRight)
    {
        long most = arguments.Integer(1, -1);
        return List(context, arguments.Text(0) is { } separator ? PythonText.Split(text, separator, most, fromRight) : PythonText.SplitSpace(text, most, fromRight));
    }

    private static TupleValue Partition(string text, string separator, int found, bool first)
    {
        if (separator.Length == 0) throw Fault.Value("empty separator");
        if (found < 0) return first ? new TupleValue(text, "", "") : new TupleValue("", "", text);
        return new TupleValue(text[..found], separator, text[(found + separator.Length)..]);
    }

    private static object Join(RenderContext context, string text, BoundArguments arguments)
    {
        if (!Sequences.IsIterable(arguments[0])) throw Fault.Type("can only join an iterable");
        var joined = new StringBuilder();
        int index = 0;
        foreach (object? item in Sequences.Iterate(arguments[0]))
        {
            context.Step();
            if (index > 0) joined.Append(text);
            joined.Append(ValueTypes.Text(item) ?? throw Fault.Type($"sequence item {index}: expected str instance, {ValueTypes.Name(item)} found"));
            if (joined.Length > context.MaxText) context.Charge(joined.Length);
            index++;
        }

        return context.Made(joined.ToString());
    }

    private static bool Affix(string text, BoundArguments arguments, Func<string, string, bool> matches, string name)
    {
        (string part, _, bool valid) = Part(text, arguments);
        if (arguments[0] is TupleValue tuple) return tuple.Items.Any(item => valid && matches(part, ValueTypes.Text(item) ?? throw Wrong(item, "tuple for " + name + " must only contain str, not ")));
        return ValueTypes.Text(arguments[0]) is { } affix ? valid && matches(part, affix) : throw Wrong(arguments[0], name + " first arg must be str or a tuple of str, not ");
    }

    private static Fault Wrong(object? value, string what) => Fault.Type(what + ValueTypes.Name(value));

    private static long Find(string text, BoundArguments arguments, bool fromRight)
    {
        (string part, long start, bool valid) = Part(text, arguments);
        string sought = arguments.RequiredText(0);
        if (!valid) return -1;
        int found = fromRight ? part.AsSpan().LastIndexOf(sought) : part.IndexOf(sought, StringComparison.Ordinal);
        return found < 0 ? -1 : start + CodePointText.Length(part[..found]);
    }

    private static object Count(RenderContext context, string text, BoundArguments arguments)
    {
        (string part, _, bool valid) = Part(text, arguments);
        string sought = arguments.RequiredText(0);
        if (!valid) return 0L;
        if (sought.Length == 0) return CodePointText.Length(part) + 1L;
        long count = 0;
        for (int at = 0; (at = part.IndexOf(sought, at, StringComparison.Ordinal)) >= 0; at += sought.Length) count++;
        return count;
    }

    // The part between optional start and end, and whether start lies in the text.
    private static (string Part, long Start, bool Valid) Part(string text, BoundArguments arguments)
    {
        bool whole = arguments.Or(1, null) is null && arguments.Or(2, null) is null;
        if (whole) return (text, 0, true);
        long length = CodePointText.Length(text);
        long start = Bound(arguments.Or(1, null), 0), end = Math.Min(Bound(arguments.Or(2, null), length), length);
        return (CodePointText.Part(text, Math.Min(start, length), end), start, start <= length && start <= end);

        long Bound(object? value, long missing)
        {
            if (value is null) return missing;
            if (!Numbers.TryIndex(value, out long bound)) throw Fault.Type("slice indices must be integers or None or have an __index__ method");
            return bound < 0 ? Math.Max(0, bound + length) : bound;
        }
    }

    private static string Justify(RenderContext context, string text, BoundArguments arguments, Func<long, long, long> leftOf)
    {
        string fill = arguments.Has(1) ? arguments.RequiredText(1) : " ";
        if (CodePointText.Length(fill) != 1) throw Fault.Type("The fill character must be exactly one character long");
        long width = arguments.Integer(0), missing = width - CodePointText.Length(text);
        if (missing <= 0) return text;
        context.Charge(missing);
        long left = leftOf(missing, width);
        return string.Concat(Enumerable.Repeat(fill, (int)left)) + text + string.Concat(Enumerable.Repeat(fill, (int)(missing - left)));
    }

    private static string ExpandTabs(RenderContext context, string text, BoundArguments arguments)
    {
        int size = (int)Math.Clamp(arguments.Integer(0, 8), 0, context.MaxText);
        var expanded = new StringBuilder();
        int column = 0;
        foreach (char character in text)
        {
            if (character == '\t')
            {
                int spaces = size == 0 ? 0 : size - (column % size);
                context.Charge(spaces);
                expanded.Append(' ', spaces);
                column += spaces;
                if (expanded.Length > context.MaxText) context.Charge(expanded.Length);
                continue;
            }

            expanded.Append(character);
            column = character is '\n' or '\r' ? 0 : column + (char.IsLowSurrogate(character) ? 0 : 1);
        }

        return expanded.ToString();
    }

    private static bool All(string text, Func<string, bool> holds) => text.Length > 0 && CodePointText.Characters(text).All(character => holds((string)character!));

    private static bool Any(string text, Func<string, bool> holds) => CodePointText.Characters(text).Any(character => holds((string)character!));
}
