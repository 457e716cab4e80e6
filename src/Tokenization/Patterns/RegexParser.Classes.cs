using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>Escapes and bracketed classes.</summary>
internal sealed partial class RegexParser
{
    private RegexNode ParseEscape()
    {
        if (!More) throw Wrong("a '\\' at its end");
        switch (_pattern[_at])
        {
            case 'A': return Place(Anchor.TextStart);
            case 'z': return Place(Anchor.TextEnd);
            case 'Z': return Place(Anchor.TextEndOrFinalNewline);
            case 'b': return Place(Anchor.WordBoundary);
            case 'B': return Place(Anchor.NotWordBoundary);
            case >= '1' and <= '9': throw Unsupported("a back-reference");
            case 'k' or 'g' or 'G' or 'K' or 'X' or 'R': throw Unsupported($"\\{_pattern[_at]}");
        }

        return ParseEscapedSet(out int codePoint) is { } set
            ? new RegexNode.Set(_ignoreCase ? set.IgnoreCase() : set)
            : Literal(codePoint);
    }

    private RegexNode.At Place(Anchor anchor)
    {
        _at++;
        return new RegexNode.At(anchor);
    }

    // A set such as \s, or null and the one code point that is meant.
    private CodePointSet? ParseEscapedSet(out int codePoint)
    {
        codePoint = TakeCodePoint();
        switch (codePoint)
        {
            case 's': return CodePointSet.Space;
            case 'S': return CodePointSet.Space.Negate();
            case 'd': return CodePointSet.Digit;
            case 'D': return CodePointSet.Digit.Negate();
            case 'w': return CodePointSet.Word;
            case 'W': return CodePointSet.Word.Negate();
            case 'h': return CodePointSet.Hexadecimal;
            case 'H': return CodePointSet.Hexadecimal.Negate();
            case 'p' or 'P': return ParseProperty(codePoint == 'P');
            case 't': codePoint = '\t'; break;
            case 'n': codePoint = '\n'; break;
            case 'r': codePoint = '\r'; break;
            case 'f': codePoint = '\f'; break;
            case 'v': codePoint = '\v'; break;
            case 'a': codePoint = '\a'; break;
            case 'e': codePoint = 0x1B; break;
            case '0': codePoint = TakeNumber(0, 2, 8); break;
            case 'x' when Take('{'):
                codePoint = TakeNumber(1, 8, 16);
                if (!Take('}')) throw Wrong("\\x{ without }");
                break;
            case 'x': codePoint = TakeNumber(1, 2, 16); break;
            case 'u': codePoint = TakeNumber(4, 4, 16); break;
        }

        return null;
    }

    private int TakeNumber(int minimum, int maximum, int radix)
    {
        int value = 0, digits = 0;
        for (; digits < maximum && More && char.IsAsciiHexDigit(_pattern[_at]); digits++)
        {
            int digit = int.Parse(_pattern.AsSpan(_at, 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (digit >= radix) break;
            value = (value * radix) + digit;
            _at++;
        }

        bool exists = value is >= 0 and <= 0x10FFFF and not (>= 0xD800 and <= 0xDFFF);
        return digits >= minimum && exists ? value : throw Wrong("the number of a character that does not exist");
    }

    private CodePointSet ParseProperty(bool negative)
    {
        if (!Take('{')) throw Wrong("\\p without {");
        int end = _pattern.IndexOf('}', _at);
        if (end < 0) throw Wrong("\\p{ without }");
        negative ^= Take('^');
        string name = _pattern[_at..end];
        _at = end + 1;
        if (!UnicodeProperties.TryGet(name, out CodePointSet? set)) throw Unsupported($"the character property {name}");
        return negative ? set!.Negate() : set!;
    }

    // Behind the opening bracket.
    private CodePointSet ParseClass()
    {
        if (++_depth > MaxDepth) throw Unsupported($"more than {MaxDepth} nested classes");
        bool negative = Take('^');
        CodePointSet? intersection = null;
        var members = new List<CodePointSet>();
        for (bool first = true; ; first = false)
        {
            if (!More) throw Wrong("a '[' without ']'");
            if (!first && Take(']')) break;
            if (TakeTwice('&'))
            {
                intersection = Meet(intersection, members);
                members = [];
                continue;
            }

            members.Add(ParseClassMember());
        }

        CodePointSet set = Meet(intersection, members);
        if (_ignoreCase) set = set.IgnoreCase();
        _depth--;
        return negative ? set.Negate() : set;
    }

    private static CodePointSet Meet(CodePointSet? left, List<CodePointSet> members)
    {
        CodePointSet right = CodePointSet.Union(members);
        return left is null ? right : left.Intersect(right);
    }

    private bool TakeTwice(char expected)
    {
        if (_at + 1 >= _pattern.Length || _pattern[_at] != expected || _pattern[_at + 1] != expected) return false;
        _at += 2;
        return true;
    }

    private CodePointSet ParseClassMember()
    {
        if (_pattern[_at] == '[') return ParseInnerClass();
        if (ParseClassItem(out int first) is { } set) return set;
        int dash = _at;
        if (Take('-'))
        {
            if (!More) throw Wrong("a '[' without ']'");
            if (_pattern[_at] is not (']' or '[') && ParseClassItem(out int last) is null)
                return last >= first ? CodePointSet.OfRange(first, last) : throw Wrong("a range whose end lies before its start");
            _at = dash; // the hyphen is a member by itself
        }

        return CodePointSet.OfRange(first, first);
    }

    private CodePointSet? ParseClassItem(out int codePoint)
    {
        codePoint = TakeCodePoint();
        if (codePoint != '\\') return null;
        if (!More) throw Wrong("a '\\' at its end");
        if (Take('b'))
        {
            codePoint = '\b';
            return null;
        }

        return ParseEscapedSet(out codePoint);
    }

    private CodePointSet ParseInnerClass()
    {
        int end = _at + 1 < _pattern.Length && _pattern[_at + 1] == ':' ? _pattern.IndexOf(":]", _at, StringComparison.Ordinal) : -1;
        if (end < 0)
        {
            _at++;
            return ParseClass();
        }

        string name = _pattern[(_at + 2)..end];
        bool negative = name.StartsWith('^');
        if (!UnicodeProperties.TryGet(name.TrimStart('^'), out CodePointSet? set)) throw Unsupported($"the bracket [:{name}:]");
        _at = end + 2;
        return negative ? set!.Negate() : set!;
    }
}
