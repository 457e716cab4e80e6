using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>The escapes of strings in templates, which are those of Python.</summary>
internal static class StringLiteral
{
    public static string Read(string text, Position place)
    {
        if (!text.Contains('\\')) return text;
        var read = new StringBuilder(text.Length);
        for (int index = 0; index < text.Length; index++)
        {
            if (text[index] != '\\')
            {
                read.Append(text[index]);
                continue;
            }

            char escape = text[++index];
            switch (escape)
            {
                case '\n': break;
                case '\\' or '\'' or '"': read.Append(escape); break;
                case 'a': read.Append('\a'); break;
                case 'b': read.Append('\b'); break;
                case 'f': read.Append('\f'); break;
                case 'n': read.Append('\n'); break;
                case 'r': read.Append('\r'); break;
                case 't': read.Append('\t'); break;
                case 'v': read.Append('\v'); break;
                case >= '0' and <= '7':
                    int end = index;
                    while (end < text.Length && end < index + 3 && text[end] is >= '0' and <= '7') end++;
                    read.Append((char)Convert.ToInt32(text[index..end], 8));
                    index = end - 1;
                    break;
                case 'x': Append(2); break;
                case 'u': Append(4); break;
                case 'U': Append(8); break;
                case 'N':
                    int close = index + 1 < text.Length && text[index + 1] == '{' ? text.IndexOf('}', index) : -1;
                    if (close < 0) throw Wrong("malformed \\N character escape");
                    read.Append(CharacterNames.Find(text[(index + 2)..close]) ?? throw Wrong("unknown Unicode character name"));
                    index = close;
                    break;
                // Python has turned such characters into escapes before it reads the backslash, which then escapes that of the escape.
                case > '\x7F':
                    int codePoint = char.IsHighSurrogate(escape) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]) ? char.ConvertToUtf32(escape, text[++index]) : escape;
                    read.Append(CultureInfo.InvariantCulture, $"\\{(codePoint > 0xFFFF ? $"U{codePoint:x8}" : codePoint > 0xFF ? $"u{codePoint:x4}" : $"x{codePoint:x2}")}");
                    break;
                default: read.Append('\\').Append(escape); break;
            }

            void Append(int digits)
            {
                if (index + digits > text.Length - 1 || !int.TryParse(text.AsSpan(index + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code))
                    throw Wrong($"truncated \\{escape}{(digits == 2 ? "XX" : digits == 4 ? "XXXX" : "XXXXXXXX")} escape");
                if (code is < 0 or > 0x10FFFF) throw Wrong("illegal Unicode character");
                index += digits;
                if (code > 0xFFFF) read.Append(char.ConvertFromUtf32(code));
                else read.Append((char)code);
            }
        }

        return read.ToString();

        ChatTemplateException Wrong(string reason) => new(ChatTemplateErrorKind.Syntax, reason, place.Line, place.Column);
    }
}
