using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>
/// Cuts a template into tokens, one at a time, with the settings that chat templates are made for: trim_blocks (a line break behind a
/// block or comment is dropped), lstrip_blocks (white space before a block that begins its line is dropped), no line break at the end.
/// </summary>
internal sealed class TemplateLexer
{
    private static readonly string[] Operators = ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly string _source;
    private readonly Stack<char> _open = new();
    private int _at;
    private int _line = 1;
    private int _lineStart;
    private int _placed; // how far lines are counted
    private bool _lineStarting = true;
    private char _inside; // % in a block, { in an expression that is printed
    private TemplateToken? _next;

    public TemplateLexer(string source)
    {
        _source = source.Replace("\r\n", "\n").Replace('\r', '\n');
        if (_source.EndsWith('\n')) _source = _source[..^1];
    }

    /// <summary>The next token.</summary>
    /// <exception cref="ChatTemplateException">There is none that makes sense.</exception>
    public TemplateToken Next()
    {
        if (_next is { } waiting)
        {
            _next = null;
            return waiting;
        }

        while (_at < _source.Length)
        {
            TemplateToken? token = _inside == '\0' ? NextOutside() : NextInside();
            if (token is { } found) return found;
        }

        return new TemplateToken(TokenType.End, null, Place(_source.Length));
    }

    private TemplateToken? NextOutside()
    {
        int start = _at, tag = start;
        while (tag >= 0)
        {
            tag = _source.IndexOf('{', tag);
            if (tag < 0 || tag + 1 == _source.Length) tag = -1;
            else if (_source[tag + 1] is '{' or '%' or '#') break;
            else tag++;
        }

        if (tag < 0)
        {
            _at = _source.Length;
            return new TemplateToken(TokenType.Data, _source[start..], Place(start));
        }

        char kind = _source[tag + 1];
        char sign = Sign(tag + 2);
        string text = Strip(_source[start..tag], sign, kind != '{');
        TemplateToken? data = text.Length > 0 ? new TemplateToken(TokenType.Data, text, Place(start)) : null;
        int behind = tag + 2 + (sign == '\0' ? 0 : 1);
        if (kind == '%' && RawBegin(behind) is var raw and >= 0)
        {
            MoveTo(raw);
            _next = Raw(tag);
            if (data is not null) return data;
            (data, _next) = (_next, null);
            return data;
        }

        MoveTo(behind);
        _lineStarting = false;
        if (kind == '#')
        {
            Comment(tag);
            return data;
        }

        _inside = kind;
        var begin = new TemplateToken(kind == '%' ? TokenType.BlockBegin : TokenType.VariableBegin, null, Place(tag));
        if (data is not null) _next = begin;
        return data ?? begin;
    }

    private TemplateToken? NextInside()
    {
        int start = _at;
        Position place = Place(start);
        if (_open.Count == 0 && End(start) is var end and >= 0)
        {
            var closing = new TemplateToken(_inside == '%' ? TokenType.BlockEnd : TokenType.VariableEnd, null, place);
            _inside = '\0';
            MoveTo(end);
            return closing;
        }

        char character = _source[start];
        if (PythonText.IsSpace(character))
        {
            while (start < _source.Length && PythonText.IsSpace(_source[start])) start++;
            MoveTo(start);
            return null;
        }

        if (char.IsAsciiDigit(character)) return Number(place);
        if (Rune.TryGetRuneAt(_source, start, out Rune rune) && PythonText.IsWord(rune)) return Name(place);
        if (character is '\'' or '"' && StringEnd(start) is var close and > 0)
        {
            MoveTo(close);
            return new TemplateToken(TokenType.String, StringLiteral.Read(_source[(start + 1)..(close - 1)], place), place);
        }

        foreach (string symbol in Operators)
        {
            if (string.CompareOrdinal(_source, start, symbol, 0, symbol.Length) != 0) continue;
            Balance(symbol, place);
            MoveTo(start + symbol.Length);
            return new TemplateToken(TokenType.Operator, symbol, place);
        }

        throw Wrong($"unexpected char {ValueText.Quote(_source.Substring(start, CodePointText.Width(_source, start)))} at {CodePointText.Length(_source[..start])}", place);
    }

    private char Sign(int at) => at < _source.Length && _source[at] is '-' or '+' ? _source[at] : '\0';

    // The text before a tag, without the white space that the tag takes away.
    private string Strip(string text, char sign, bool isBlock)
    {
        if (sign == '-') return PythonText.Strip(text, null, left: false, right: true);
        if (sign == '+' || !isBlock) return text;
        int line = text.LastIndexOf('\n') + 1;
        return (line > 0 || _lineStarting) && line < text.Length && text[line..].All(PythonText.IsSpace) ? text[..line] : text;
    }

    // Where the raw text of a raw block begins; -1 where it is no raw block. Its line break stays.
    private int RawBegin(int at)
    {
        at = Word(at, "raw");
        if (at < 0) return -1;
        if (Has(at, "-%}")) return Space(at + 3);
        return Has(at, "%}") ? at + 2 : -1;
    }

    private TemplateToken? Raw(int tag)
    {
        int start = _at;
        for (int end = start; (end = _source.IndexOf("{%", end, StringComparison.Ordinal)) >= 0; end += 2)
        {
            char sign = Sign(end + 2);
            int close = Word(end + 2 + (sign == '\0' ? 0 : 1), "endraw");
            close = close < 0 ? -1 : BlockEnd(close);
            if (close < 0) continue;
            string text = Strip(_source[start..end], sign, isBlock: true);
            Position place = Place(start);
            MoveTo(close);
            return text.Length > 0 ? new TemplateToken(TokenType.Data, text, place) : null;
        }

        throw Wrong("Missing end of raw directive", Place(tag));
    }

    private void Comment(int tag)
    {
        int close = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (close < 0) throw Wrong("Missing end of comment tag", Place(tag));
        char sign = close > _at ? _source[close - 1] : '\0';
        int end = close + 2;
        if (sign == '-') end = Space(end);
        else if (sign != '+' && Has(end, "\n")) end++;
        MoveTo(end);
    }

    private int End(int at)
    {
        if (_inside == '%') return BlockEnd(at);
        return Has(at, "-}}") ? Space(at + 3) : Has(at, "}}") ? at + 2 : -1;
    }

    private int BlockEnd(int at)
    {
        if (Has(at, "+%}")) return at + 3;
        if (Has(at, "-%}")) return Space(at + 3);
        return !Has(at, "%}") ? -1 : Has(at + 2, "\n") ? at + 3 : at + 2;
    }

    private TemplateToken Number(Position place)
    {
        int start = _at, end = Digits(start, char.IsAsciiDigit);
        if (start == 0 || _source[start - 1] != '.')
        {
            int fraction = end < _source.Length && _source[end] == '.' ? Digits(end + 1, char.IsAsciiDigit) : -1;
            int mantissa = fraction > end + 1 ? fraction : end;
            int exponent = mantissa < _source.Length && _source[mantissa] is 'e' or 'E' ? mantissa + 1 : -1;
            if (exponent > 0 && exponent < _source.Length && _source[exponent] is '+' or '-') exponent++;
            int power = exponent > 0 ? Digits(exponent, char.IsAsciiDigit) : -1;
            int stop = power > exponent ? power : mantissa;
            if (stop > end)
            {
                MoveTo(stop);
                return new TemplateToken(TokenType.Float, double.Parse(_source[start..stop].Replace("_", ""), NumberStyles.Float, CultureInfo.InvariantCulture), place);
            }
        }

        if (_source[start] == '0')
        {
            int prefixed = start + 2;
            Func<char, bool>? digit = start + 1 == _source.Length ? null : _source[start + 1] switch
            {
                'x' or 'X' => char.IsAsciiHexDigit,
                'o' or 'O' => character => character is >= '0' and <= '7',
                'b' or 'B' => character => character is '0' or '1',
                _ => null,
            };
            if (prefixed < _source.Length && _source[prefixed] == '_') prefixed++;
            end = digit is null ? -1 : Digits(prefixed, digit);
            if (end <= prefixed) end = Digits(start, character => character == '0');
        }

        MoveTo(end);
        string text = _source[start..end];
        return Numbers.TryParseWhole(text, text.Length > 1 && char.IsAsciiLetter(text[1]) ? 0 : 10, out object? number)
            ? new TemplateToken(TokenType.Integer, number, place)
            : throw Wrong($"invalid literal {ValueText.Quote(text)}", place);
    }

    // Digits with single underscores between them.
    private int Digits(int at, Func<char, bool> isDigit)
    {
        if (at >= _source.Length || !isDigit(_source[at])) return at;
        while (at < _source.Length && (isDigit(_source[at]) || (_source[at] == '_' && at + 1 < _source.Length && isDigit(_source[at + 1])))) at++;
        return at;
    }

    private TemplateToken Name(Position place)
    {
        int end = _at;
        while (end < _source.Length && Rune.TryGetRuneAt(_source, end, out Rune rune) && PythonText.IsWord(rune)) end += rune.Utf16SequenceLength;
        string name = _source[_at..end];
        MoveTo(end);
        return PythonText.IsIdentifier(name) ? new TemplateToken(TokenType.Name, name, place) : throw Wrong("Invalid character in identifier", place);
    }

    // Behind the closing quote; -1 where there is none.
    private int StringEnd(int start)
    {
        for (int at = start + 1; at < _source.Length; at++)
        {
            if (_source[at] == '\\') at++;
            else if (_source[at] == _source[start]) return at + 1;
        }

        return -1;
    }

    private void Balance(string symbol, Position place)
    {
        switch (symbol)
        {
            case "{": _open.Push('}'); break;
            case "(": _open.Push(')'); break;
            case "[": _open.Push(']'); break;
            case "}" or ")" or "]":
                if (_open.Count == 0) throw Wrong($"unexpected '{symbol}'", place);
                char expected = _open.Pop();
                if (expected != symbol[0]) throw Wrong($"unexpected '{symbol}', expected '{expected}'", place);
                break;
        }
    }

    private bool Has(int at, string text) => string.CompareOrdinal(_source, at, text, 0, text.Length) == 0;

    private int Space(int at)
    {
        while (at < _source.Length && PythonText.IsSpace(_source[at])) at++;
        return at;
    }

    // Behind a word with white space around it; -1 where it is not there.
    private int Word(int at, string word)
    {
        at = Space(at);
        return Has(at, word) ? Space(at + word.Length) : -1;
    }

    private void MoveTo(int at)
    {
        if (at > _at) _lineStarting = _source[at - 1] == '\n';
        _at = at;
    }

    private Position Place(int at)
    {
        for (; _placed < at; _placed++)
        {
            if (_source[_placed] != '\n') continue;
            _line++;
            _lineStart = _placed + 1;
        }

        return new Position(_line, at - _lineStart + 1);
    }

    private static ChatTemplateException Wrong(string reason, Position place) => new(ChatTemplateErrorKind.Syntax, reason, place.Line, place.Column);
}
