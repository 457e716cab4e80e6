using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>
/// Parses the regular expressions of tokenizer.json files, with the meaning they have to the reference (Oniguruma, Ruby syntax):
/// on code points, <c>^</c> and <c>$</c> at lines, <c>(?m)</c> for a dot that matches line feeds, <c>\h</c> for hexadecimal digits.
/// </summary>
internal sealed partial class RegexParser
{
    private const int MaxDepth = 250;
    private const int MaxRepeat = 1000;

    private readonly string _pattern;
    private int _at;
    private int _depth;
    private bool _ignoreCase;
    private bool _dotAll;
    private bool _extended;

    private RegexParser(string pattern) => _pattern = pattern;

    /// <summary>Parses a pattern.</summary>
    /// <exception cref="FormatException">It is not a regular expression.</exception>
    /// <exception cref="NotSupportedException">It uses what this engine does not know; the message names it.</exception>
    public static RegexNode Parse(string pattern)
    {
        var parser = new RegexParser(pattern);
        RegexNode node = parser.ParseAlternation();
        return parser._at == pattern.Length ? node : throw parser.Wrong("an unmatched ')'");
    }

    private bool More => _at < _pattern.Length;

    private RegexNode ParseAlternation()
    {
        if (++_depth > MaxDepth) throw Unsupported($"more than {MaxDepth} nested groups");
        (bool ignoreCase, bool dotAll, bool extended) = (_ignoreCase, _dotAll, _extended);
        var branches = new List<RegexNode> { ParseSequence() };
        while (Take('|')) branches.Add(ParseSequence());
        (_ignoreCase, _dotAll, _extended) = (ignoreCase, dotAll, extended);
        _depth--;
        return branches.Count == 1 ? branches[0] : new RegexNode.Alternation(branches);
    }

    private RegexNode.Sequence ParseSequence()
    {
        var parts = new List<RegexNode>();
        while (More && _pattern[_at] is not ('|' or ')'))
        {
            if (_extended && SkipLayout()) continue;
            int before = _at;
            if (ParseAtom() is { } atom) parts.Add(ParseQuantifiers(atom));
            else if (_at == before) throw Wrong("a part that cannot be read");
        }

        return new RegexNode.Sequence(parts);
    }

    private bool SkipLayout()
    {
        if (char.IsWhiteSpace(_pattern[_at]))
        {
            _at++;
            return true;
        }

        if (_pattern[_at] != '#') return false;
        while (More && _pattern[_at] != '\n') _at++;
        return true;
    }

    // Null for what sets options only.
    private RegexNode? ParseAtom()
    {
        int codePoint = TakeCodePoint();
        switch (codePoint)
        {
            case '(': return ParseGroup();
            case '[': return new RegexNode.Set(ParseClass());
            case '.': return new RegexNode.Set(_dotAll ? CodePointSet.All : CodePointSet.NotNewline);
            case '^': return new RegexNode.At(Anchor.LineStart);
            case '$': return new RegexNode.At(Anchor.LineEnd);
            case '*' or '+' or '?': throw Wrong($"a '{(char)codePoint}' with nothing to repeat");
            case '\\': return ParseEscape();
            default: return Literal(codePoint);
        }
    }

    private RegexNode.Set Literal(int codePoint)
    {
        CodePointSet set = CodePointSet.OfRange(codePoint, codePoint);
        return new RegexNode.Set(_ignoreCase ? set.IgnoreCase() : set);
    }

    private RegexNode? ParseGroup()
    {
        if (!Take('?')) return Close(ParseAlternation());
        if (Take(':')) return Close(ParseAlternation());
        if (Take('>')) return new RegexNode.Atomic(Close(ParseAlternation()));
        if (Take('=')) return new RegexNode.Look(Close(ParseAlternation()), Behind: false, Negative: false);
        if (Take('!')) return new RegexNode.Look(Close(ParseAlternation()), Behind: false, Negative: true);
        if (Take('#'))
        {
            while (More && !Take(')')) _at++;
            return null;
        }

        if (Take('<'))
        {
            if (Take('=')) return new RegexNode.Look(Close(ParseAlternation()), Behind: true, Negative: false);
            if (Take('!')) return new RegexNode.Look(Close(ParseAlternation()), Behind: true, Negative: true);
            int end = _pattern.IndexOf('>', _at); // a name, which nothing here refers to
            if (end < 0) throw Wrong("a group name without '>'");
            _at = end + 1;
            return Close(ParseAlternation());
        }

        return ParseOptions();
    }

    // (?imx-imx) up to the end of the group, (?imx-imx:...) for its own part.
    private RegexNode? ParseOptions()
    {
        (bool ignoreCase, bool dotAll, bool extended) = (_ignoreCase, _dotAll, _extended);
        for (bool on = true; More; _at++)
        {
            switch (_pattern[_at])
            {
                case '-': on = false; break;
                case 'i': ignoreCase = on; break;
                case 'm': dotAll = on; break;
                case 'x': extended = on; break;
                case ')':
                    _at++;
                    (_ignoreCase, _dotAll, _extended) = (ignoreCase, dotAll, extended);
                    return ParseRestOfGroup();
                case ':':
                    _at++;
                    (bool, bool, bool) outer = (_ignoreCase, _dotAll, _extended);
                    (_ignoreCase, _dotAll, _extended) = (ignoreCase, dotAll, extended);
                    RegexNode body = Close(ParseAlternation());
                    (_ignoreCase, _dotAll, _extended) = outer;
                    return body;
                default: throw Unsupported($"the group option '{_pattern[_at]}'");
            }
        }

        throw Wrong("a group that does not end");
    }

    // In Ruby's syntax the branches behind (?i) belong to it: a(?i)b|c is a(?i:b|c).
    private RegexNode ParseRestOfGroup() => ParseAlternation();

    private RegexNode Close(RegexNode node) => Take(')') ? node : throw Wrong("a '(' without ')'");

    private RegexNode ParseQuantifiers(RegexNode atom)
    {
        while (More)
        {
            (int minimum, int maximum, bool braces) = (0, -1, false);
            switch (_pattern[_at])
            {
                case '*': break;
                case '+': minimum = 1; break;
                case '?': maximum = 1; break;
                case '{' when TryParseBraces(out minimum, out maximum): braces = true; break;
                default: return atom;
            }

            _at++;
            RepeatMode mode = Take('?') ? RepeatMode.Lazy : !braces && Take('+') ? RepeatMode.Possessive : RepeatMode.Greedy;
            atom = new RegexNode.Repeat(atom, minimum, maximum, mode);
        }

        return atom;
    }

    // {n} {n,} {,m} {n,m}; anything else is an ordinary brace. Leaves the position at the closing brace.
    private bool TryParseBraces(out int minimum, out int maximum)
    {
        (minimum, maximum) = (0, -1);
        int end = _pattern.IndexOf('}', _at);
        if (end < 0) return false;
        string[] bounds = _pattern[(_at + 1)..end].Split(',');
        if (bounds.Length > 2 || bounds.All(bound => bound.Length == 0)) return false;
        if (bounds[0].Length > 0 && !TryParseCount(bounds[0], out minimum)) return false;
        if (bounds.Length == 1) maximum = minimum;
        else if (bounds[1].Length > 0 && !TryParseCount(bounds[1], out maximum)) return false;
        if (maximum >= 0 && maximum < minimum) throw Unsupported($"the repetition {_pattern[_at..(end + 1)]}, whose maximum is below its minimum");
        _at = end;
        return true;
    }

    private bool TryParseCount(string digits, out int count)
    {
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count)) return false;
        return count <= MaxRepeat ? true : throw Unsupported($"a repetition of {count} (at most {MaxRepeat})");
    }

    private int TakeCodePoint()
    {
        int codePoint = CodePoints.At(_pattern, _at, out int length);
        _at += length;
        return codePoint;
    }

    private bool Take(char expected)
    {
        if (!More || _pattern[_at] != expected) return false;
        _at++;
        return true;
    }

    private FormatException Wrong(string what) => new($"The regular expression {_pattern} has {what} (at position {_at}).");

    private NotSupportedException Unsupported(string what) => new($"The regular expression {_pattern} uses {what} (at position {_at}), which is not supported.");
}
