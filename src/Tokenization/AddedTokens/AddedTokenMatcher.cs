using System.Buffers;

namespace MLComponents.Tokenization;

/// <summary>Finds added tokens: of those that match, the leftmost, and of those that begin there, the longest.</summary>
internal sealed class AddedTokenMatcher
{
    // Runs of spaces are tokens of some vocabularies, so that a first character alone would be found everywhere.
    private const int BeginningLength = 2;

    private readonly Node _root = new();
    private readonly SearchValues<string> _beginnings;

    /// <summary>A matcher for tokens with the text each is looked for by.</summary>
    public AddedTokenMatcher(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var beginnings = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string text, AddedToken token) in tokens)
        {
            if (text.Length == 0) continue;
            Node node = _root;
            foreach (char unit in text)
            {
                node.Children ??= [];
                if (!node.Children.TryGetValue(unit, out Node? child)) node.Children[unit] = child = new Node();
                node = child;
            }

            node.Token ??= token;
            beginnings.Add(text[..Math.Min(text.Length, BeginningLength)]);
        }

        _beginnings = SearchValues.Create([.. beginnings], StringComparison.Ordinal);
    }

    /// <summary>Whether there is nothing to find.</summary>
    public bool IsEmpty => _root.Children is null;

    /// <summary>Finds the first token at <paramref name="from"/> or later.</summary>
    /// <param name="text">The text.</param>
    /// <param name="from">Where the search goes on: the end of the last match, or of one that was refused.</param>
    /// <param name="covered">Where the last token ended, white space it swallowed included.</param>
    /// <param name="splitSpecial">Whether special tokens are passed over.</param>
    /// <param name="match">What was found.</param>
    public bool TryFind(ReadOnlySpan<char> text, int from, int covered, bool splitSpecial, out AddedTokenMatch match)
    {
        while (from < text.Length)
        {
            int ahead = text[from..].IndexOfAny(_beginnings);
            if (ahead < 0) break;
            int start = from + ahead;
            if (Longest(text, start, out int end) is not { } token)
            {
                from = start + 1;
                continue;
            }

            from = end;
            if (splitSpecial && token.Special) continue;
            if (start < covered) continue; // inside white space that the last token swallowed
            if (token.SingleWord && (TouchesWordBefore(text, start) || TouchesWordBehind(text, end))) continue;
            int matchEnd = end;
            if (token.StripLeft)
                while (start > covered && char.IsWhiteSpace(text[start - 1])) start--;
            if (token.StripRight)
                while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
            match = new AddedTokenMatch(token, start, end, matchEnd);
            return true;
        }

        match = default;
        return false;
    }

    private static bool TouchesWordBefore(ReadOnlySpan<char> text, int start) =>
        start > 0 && CodePoints.IsWordCharacter(CodePoints.Before(text, start, out _));

    private static bool TouchesWordBehind(ReadOnlySpan<char> text, int end) =>
        end < text.Length && CodePoints.IsWordCharacter(CodePoints.At(text, end, out _));

    private AddedToken? Longest(ReadOnlySpan<char> text, int start, out int end)
    {
        AddedToken? longest = null;
        end = start;
        Node node = _root;
        for (int index = start; index < text.Length && node.Children is not null; index++)
        {
            if (!node.Children.TryGetValue(text[index], out Node? child)) break;
            node = child;
            if (node.Token is null) continue;
            longest = node.Token;
            end = index + 1;
        }

        return longest;
    }

    private sealed class Node
    {
        public Dictionary<char, Node>? Children;
        public AddedToken? Token;
    }
}
