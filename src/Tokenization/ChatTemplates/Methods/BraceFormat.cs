using System.Globalization;
using System.Numerics;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Formatting with the method format, as Python does it.</summary>
internal sealed class BraceFormat(RenderContext context, object?[] positional, IReadOnlyList<KeyValuePair<string, object?>> named, bool escape = false)
{
    private int _next;

    public string Format(string format, int depth = 2)
    {
        if (depth < 0) throw Fault.Value("Max string recursion exceeded");
        var text = new StringBuilder();
        for (int index = 0; index < format.Length; index++)
        {
            char character = format[index];
            if (character is '{' or '}' && index + 1 < format.Length && format[index + 1] == character)
            {
                text.Append(character);
                index++;
            }
            else if (character == '}')
            {
                throw Fault.Value("Single '}' encountered in format string");
            }
            else if (character == '{')
            {
                int close = Close(format, index);
                string field = Field(format[(index + 1)..close], depth);
                text.Append(field);
                if (text.Length > context.MaxText) context.Charge(text.Length);
                index = close;
            }
            else
            {
                text.Append(character);
            }
        }

        return context.Made(text.ToString());
    }

    /// <summary>A value in the form that a specification such as <c>&gt;8.2f</c> says.</summary>
    public static string Apply(RenderContext context, object? value, string specification)
    {
        if (specification.Length == 0) return ValueText.Str(context, value);
        string rest = specification;
        (string fill, char? align) = (" ", null);
        int width = rest.Length > 0 ? CodePointText.Width(rest, 0) : 0;
        if (rest.Length > width && rest[width] is '<' or '>' or '^' or '=') (fill, align, rest) = (rest[..width], rest[width], rest[(width + 1)..]);
        else if (rest.Length > 0 && rest[0] is '<' or '>' or '^' or '=') (align, rest) = (rest[0], rest[1..]);
        char sign = '-';
        if (rest.Length > 0 && rest[0] is '+' or '-' or ' ') (sign, rest) = (rest[0], rest[1..]);
        bool alternate = rest.StartsWith('#');
        if (alternate) rest = rest[1..];
        if (rest.StartsWith('0')) (fill, align, rest) = (align is null ? "0" : fill, align ?? '=', rest[1..]);
        int least = Number(ref rest) ?? 0;
        char? group = null;
        if (rest.Length > 0 && rest[0] is ',' or '_') (group, rest) = (rest[0], rest[1..]);
        int? precision = null;
        if (rest.StartsWith('.'))
        {
            rest = rest[1..];
            precision = Number(ref rest) ?? throw Fault.Value("Format specifier missing precision");
        }

        if (rest.Length > 1) throw Fault.Value("Invalid format specifier");
        char kind = rest.Length == 1 ? rest[0] : '\0';
        string text, prefix = "";
        if (ValueTypes.Text(value) is { } plain)
        {
            if (kind is not ('\0' or 's')) throw Unknown();
            if (align == '=' && fill == "0") align = '<';
            else if (align == '=') throw Fault.Value("'=' alignment not allowed in string format specifier");
            text = precision is { } most ? CodePointText.Part(plain, 0, most) : plain;
            align ??= '<';
        }
        else if (Numbers.IsNumber(value) && !(value is bool && kind == 's'))
        {
            (prefix, text) = Digits(kind, precision, alternate, group, sign);
            align ??= '>';
        }
        else
        {
            throw Fault.Type($"unsupported format string passed to {ValueTypes.Name(value)}.__format__");
        }

        int missing = least - CodePointText.Length(prefix + text);
        if (missing <= 0) return prefix + text;
        context.Charge(missing);
        string Fill(int count) => string.Concat(Enumerable.Repeat(fill, count));
        return align switch
        {
            '<' => prefix + text + Fill(missing),
            '^' => Fill(missing / 2) + prefix + text + Fill(missing - (missing / 2)),
            '=' => prefix + Fill(missing) + text,
            _ => Fill(missing) + prefix + text,
        };

        int? Number(ref string from)
        {
            int length = 0;
            while (length < from.Length && char.IsAsciiDigit(from[length])) length++;
            if (length == 0) return null;
            if (!int.TryParse(from.AsSpan(0, length), out int number) || number > context.MaxText) throw Fault.Limit("A width in the format is too large.");
            from = from[length..];
            return number;
        }

        (string, string) Digits(char type, int? decimals, bool alternative, char? separator, char signs)
        {
            bool whole = value is not double && type is '\0' or 'd' or 'n' or 'b' or 'o' or 'x' or 'X' or 'c';
            bool negative;
            string digits, mark = "";
            if (whole)
            {
                if (decimals is not null) throw Fault.Value("Precision not allowed in integer format specifier");
                Numbers.TryWhole(value, out BigInteger number);
                if (type == 'c') return ("", Rune.IsValid((int)BigInteger.Min(number, int.MaxValue)) ? new Rune((int)number).ToString() : throw Fault.Value("%c arg not in range(0x110000)"));
                negative = number.Sign < 0;
                number = BigInteger.Abs(number);
                digits = type switch { 'b' => PercentFormat.Base(number, 2), 'o' => PercentFormat.Base(number, 8), 'x' => PercentFormat.Base(number, 16), 'X' => PercentFormat.Base(number, 16).ToUpperInvariant(), _ => number.ToString(CultureInfo.InvariantCulture) };
                if (alternative && type is 'b' or 'o' or 'x' or 'X') mark = "0" + type;
            }
            else
            {
                double number = Numbers.ToDouble(value);
                negative = double.IsNegative(number);
                number = Math.Abs(number);
                digits = type switch
                {
                    '\0' when decimals is null => Numbers.Repr(number),
                    '\0' => General(number, decimals!.Value),
                    'n' => PercentFormat.Float(number, 'g', decimals, alternative),
                    '%' => PercentFormat.Float(number * 100, 'f', decimals, alternative) + "%",
                    'e' or 'E' or 'f' or 'F' or 'g' or 'G' => PercentFormat.Float(number, type, decimals, alternative),
                    _ => throw Unknown(),
                };
            }

            if (separator is { } symbol) digits = Group(digits, symbol);
            return ((negative ? "-" : signs == '-' ? "" : signs.ToString()) + mark, digits);
        }

        Fault Unknown() => Fault.Value($"Unknown format code '{kind}' for object of type '{ValueTypes.Name(value)}'");
    }

    private static string General(double number, int digits)
    {
        string text = PercentFormat.Float(number, 'g', digits, alternate: false);
        return text.Contains('.') || text.Contains('e') || !double.IsFinite(number) ? text : text + ".0";
    }

    private static string Group(string digits, char symbol)
    {
        int end = 0;
        while (end < digits.Length && char.IsAsciiDigit(digits[end])) end++;
        var grouped = new StringBuilder(digits);
        for (int at = end - 3; at > 0; at -= 3) grouped.Insert(at, symbol);
        return grouped.ToString();
    }

    private static int Close(string format, int open)
    {
        int depth = 0;
        for (int index = open; index < format.Length; index++)
        {
            if (format[index] == '{') depth++;
            if (format[index] == '}' && --depth == 0) return index;
        }

        throw Fault.Value(open + 1 == format.Length ? "Single '{' encountered in format string" : "expected '}' before end of string");
    }

    private string Field(string field, int depth)
    {
        int colon = field.IndexOf(':'), bang = field.IndexOf('!');
        string specification = colon >= 0 ? Format(field[(colon + 1)..], depth - 1) : "";
        string name = colon >= 0 ? field[..colon] : field;
        char? conversion = null;
        if (bang >= 0 && (colon < 0 || bang < colon))
        {
            if (bang + 2 != name.Length) throw Fault.Value("expected ':' after conversion specifier");
            (name, conversion) = (name[..bang], name[bang + 1]);
        }

        object? value = Value(name);
        if (conversion is 'r' or 'a') value = ValueText.Repr(context, value);
        else if (conversion == 's') value = ValueText.Str(context, value);
        else if (conversion is not null) throw Fault.Value($"Unknown conversion specifier {conversion}");
        string text = Apply(context, value, specification);
        return escape && value is not MarkupText ? MarkupText.Escape(text) : text;
    }

    private object? Value(string path)
    {
        int end = path.AsSpan().IndexOfAny('.', '[') is var found && found < 0 ? path.Length : found;
        string first = path[..end];
        object? value;
        if (first.Length == 0 || first.All(char.IsAsciiDigit))
        {
            int index = first.Length == 0 ? _next++ : int.TryParse(first, out int given) ? given : int.MaxValue;
            value = index < positional.Length ? positional[index] : throw Fault.Value($"Replacement index {index} out of range for positional args tuple");
        }
        else
        {
            KeyValuePair<string, object?>[] matches = [.. named.Where(pair => pair.Key == first)];
            value = matches.Length > 0 ? matches[^1].Value : throw Fault.Value(ValueText.Quote(first));
        }

        while (end < path.Length)
        {
            if (path[end] == '.')
            {
                int next = path.AsSpan(end + 1).IndexOfAny('.', '[') is var at && at < 0 ? path.Length : end + 1 + at;
                value = Members.Attribute(context, value, path[(end + 1)..next]);
                end = next;
            }
            else
            {
                int close = path.IndexOf(']', end);
                if (close < 0) throw Fault.Value("Missing ']' in format string");
                string key = path[(end + 1)..close];
                value = Members.Item(context, value, key.All(char.IsAsciiDigit) && long.TryParse(key, out long index) ? index : key);
                end = close + 1;
            }
        }

        return value;
    }
}
