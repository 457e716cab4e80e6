using System.Globalization;
using System.Numerics;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Formatting with the operator %, as Python does it.</summary>
internal static class PercentFormat
{
    public static string Format(RenderContext context, string format, object? arguments, bool escape = false)
    {
        var text = new StringBuilder();
        object?[]? positional = arguments is TupleValue tuple ? tuple.Items : [arguments];
        int next = 0;
        bool named = false;
        for (int index = 0; index < format.Length; index++)
        {
            if (format[index] != '%')
            {
                text.Append(format[index]);
                continue;
            }

            index++;
            string? key = null;
            if (index < format.Length && format[index] == '(')
            {
                int close = format.IndexOf(')', index);
                if (close < 0) throw Fault.Value("incomplete format key");
                key = format[(index + 1)..close];
                index = close + 1;
                named = true;
            }

            int flags = index;
            while (index < format.Length && format[index] is '-' or '+' or ' ' or '0' or '#') index++;
            string given = format[flags..index];
            int width = Number(ref index) ?? 0;
            if (width < 0) (width, given) = (-width, given + "-");
            int? precision = null;
            if (index < format.Length && format[index] == '.')
            {
                index++;
                precision = Number(ref index) ?? 0;
            }

            while (index < format.Length && format[index] is 'h' or 'l' or 'L') index++;
            if (index >= format.Length) throw Fault.Value("incomplete format");
            char kind = format[index];
            if (kind == '%')
            {
                text.Append('%');
                continue;
            }

            object? value = key is null ? Take() : Lookup(key);
            context.Charge(width);
            string converted = Convert(context, kind, value, given, precision, index);
            if (escape) converted = value is MarkupText ? converted : MarkupText.Escape(converted);
            text.Append(Pad(converted, given, width, kind));
            if (text.Length > context.MaxText) context.Charge(text.Length);
        }

        // What is itself a container may be left over.
        bool mayRemain = named || arguments is DictValue or ListValue or RangeValue or UndefinedValue;
        if (!mayRemain && next < positional.Length) throw Fault.Type("not all arguments converted during string formatting");
        return context.Made(text.ToString());

        object? Take() => next < positional.Length ? positional[next++] : throw Fault.Type("not enough arguments for format string");

        object? Lookup(string name)
        {
            if (arguments is not DictValue dict) throw Fault.Type("format requires a mapping");
            return dict.TryGet(name, out object? found) ? found : throw Fault.Value(ValueText.Quote(name));
        }

        int? Number(ref int at)
        {
            if (at < format.Length && format[at] == '*')
            {
                at++;
                return Numbers.TryIndex(Take(), out long star) ? (int)Math.Clamp(star, -context.MaxText, context.MaxText) : throw Fault.Type("* wants int");
            }

            int start = at;
            while (at < format.Length && char.IsAsciiDigit(format[at])) at++;
            if (at == start) return null;
            return int.TryParse(format.AsSpan(start, at - start), out int number) && number <= context.MaxText ? number : throw Fault.Limit("A width in the format is too large.");
        }
    }

    /// <summary>A float in one of the forms e, f and g.</summary>
    public static string Float(double number, char kind, int? precision, bool alternate)
    {
        int digits = Math.Min(precision ?? 6, 1000);
        string text;
        if (!double.IsFinite(number)) text = Numbers.Repr(number);
        else if (char.ToLowerInvariant(kind) == 'f') text = Numbers.Fixed(number, digits);
        else if (char.ToLowerInvariant(kind) == 'e') text = Exponential(number, digits);
        else
        {
            digits = Math.Max(digits, 1);
            string exponential = Exponential(number, digits - 1);
            int exponent = int.Parse(exponential[(exponential.IndexOf('e') + 1)..], CultureInfo.InvariantCulture);
            text = exponent < -4 || exponent >= digits ? exponential : Numbers.Fixed(number, digits - 1 - exponent);
            if (!alternate)
            {
                int mark = text.IndexOf('e');
                string mantissa = mark < 0 ? text : text[..mark];
                if (mantissa.Contains('.')) mantissa = mantissa.TrimEnd('0').TrimEnd('.');
                text = mark < 0 ? mantissa : mantissa + text[mark..];
            }
        }

        return char.IsUpper(kind) ? text.ToUpperInvariant() : text;
    }

    private static string Convert(RenderContext context, char kind, object? value, string flags, int? precision, int index)
    {
        switch (kind)
        {
            case 's' or 'r' or 'a':
                string text = kind == 's' ? ValueText.Str(context, value) : ValueText.Repr(context, value);
                return precision is { } most ? CodePointText.Part(text, 0, most) : text;
            case 'c':
                if (ValueTypes.Text(value) is { } character) return CodePointText.Length(character) == 1 ? character : throw Fault.Type("%c requires int or char");
                if (Numbers.TryIndex(value, out long code)) return Rune.IsValid((int)Math.Clamp(code, int.MinValue, int.MaxValue)) ? new Rune((int)code).ToString() : throw Fault.Value("%c arg not in range(0x110000)");
                throw Fault.Type("%c requires int or char");
            case 'd' or 'i' or 'u':
                if (value is UndefinedValue undefined) throw undefined.Failure();
                if (value is double real) value = Numbers.Truncate(real);
                if (!Numbers.TryWhole(value, out BigInteger number)) throw Fault.Type($"%{kind} format: a real number is required, not {ValueTypes.Name(value)}");
                return Sign(number.Sign < 0, flags) + BigInteger.Abs(number).ToString(CultureInfo.InvariantCulture).PadLeft(Math.Min(precision ?? 0, context.MaxText), '0');
            case 'x' or 'X' or 'o':
                if (!Numbers.TryWhole(value, out number)) throw Fault.Type($"%{kind} format: an integer is required, not {ValueTypes.Name(value)}");
                string digits = Base(BigInteger.Abs(number), kind == 'o' ? 8 : 16).PadLeft(precision ?? 0, '0');
                string prefix = flags.Contains('#') ? "0" + kind : "";
                return Sign(number.Sign < 0, flags) + prefix + (kind == 'X' ? digits.ToUpperInvariant() : digits);
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                if (value is UndefinedValue missing) throw missing.Failure();
                if (!Numbers.IsNumber(value)) throw Fault.Type($"must be real number, not {ValueTypes.Name(value)}");
                double rational = Numbers.ToDouble(value);
                string formatted = Float(Math.Abs(rational), kind, precision, flags.Contains('#'));
                return Sign(double.IsNegative(rational), flags) + formatted;
            default:
                throw Fault.Value($"unsupported format character '{kind}' (0x{(int)kind:x}) at index {index}");
        }
    }

    /// <summary>The digits of a whole number in a base.</summary>
    public static string Base(BigInteger number, int numberBase)
    {
        if (number.IsZero) return "0";
        var digits = new StringBuilder();
        for (; !number.IsZero; number /= numberBase) digits.Insert(0, "0123456789abcdef"[(int)(number % numberBase)]);
        return digits.ToString();
    }

    private static string Sign(bool negative, string flags) => negative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "";

    private static string Pad(string text, string flags, int width, char kind)
    {
        int missing = width - CodePointText.Length(text);
        if (missing <= 0) return text;
        if (flags.Contains('-')) return text + new string(' ', missing);
        if (!flags.Contains('0') || kind is 's' or 'r' or 'a' or 'c') return new string(' ', missing) + text;
        int sign = text.Length > 0 && text[0] is '-' or '+' or ' ' ? 1 : 0;
        return text[..sign] + new string('0', missing) + text[sign..];
    }

    private static string Exponential(double number, int digits)
    {
        string text = number.ToString("e" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        int mark = text.IndexOf('e');
        return text[..(mark + 2)] + text[(mark + 2)..].TrimStart('0').PadLeft(2, '0');
    }
}
