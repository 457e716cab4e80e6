using System.Globalization;
using System.Text;

namespace MLComponents.Transforms;

/// <summary>Puts values into a template under the options' rules for missing and for too long ones. Safe to use from several threads.</summary>
internal sealed class PromptRenderer
{
    private readonly PromptTemplate _template;
    private readonly FormatPromptOptions _options;
    private readonly int[] _limits;
    private readonly int[] _cutOrder;

    public PromptRenderer(PromptTemplate template, FormatPromptOptions options)
    {
        (_template, _options) = (template, options);
        IReadOnlyList<PromptPlaceholder> placeholders = template.Placeholders;
        _limits = [.. placeholders.Select(placeholder => options.ColumnLimits.TryGetValue(placeholder.Column, out int limit) ? limit : int.MaxValue)];
        int Rank(int index) => options.CutFirst.IndexOf(placeholders[index].Column) is >= 0 and int rank ? rank : int.MaxValue;
        _cutOrder = [.. Enumerable.Range(0, placeholders.Count).OrderBy(Rank).ThenByDescending(index => index)];
    }

    /// <summary>The text that prompts begin with: what stands before the first line that may be dropped, or the first value.</summary>
    public string Beginning
    {
        get
        {
            bool drops = _options.DropLinesWithoutValues;
            string beginning = string.Concat(
                _template.Lines.TakeWhile(line => !(drops && line.HasPlaceholders)).SelectMany(static line => line.Parts)
                    .TakeWhile(static part => part.Placeholder is null).Select(static part => part.Literal));
            return drops ? beginning.TrimEnd('\r', '\n') : beginning; // the last line goes with the break before it
        }
    }

    /// <summary>Renders one prompt.</summary>
    /// <param name="values">Per placeholder its value, or null where it is missing.</param>
    /// <param name="cut">How many values were cut.</param>
    public string Render(ReadOnlySpan<string?> values, out int cut)
    {
        List<(string Literal, int Placeholder)> pieces = KeptPieces(values);
        // Null: the value does not appear, its line was dropped.
        var texts = new string?[values.Length];
        var wasCut = new bool[values.Length];
        long total = 0;
        foreach ((string literal, int index) in pieces)
        {
            total += literal.Length;
            if (index < 0) continue;
            (texts[index], wasCut[index]) = Cut(values[index] ?? _options.MissingValue, _limits[index]);
            total += texts[index]!.Length;
        }

        long excess = total - (_options.MaxCharacters ?? long.MaxValue);
        foreach (int index in _cutOrder)
        {
            if (excess <= 0) break;
            if (texts[index] is not { Length: > 0 } text) continue;
            (texts[index], _) = Cut(text, (int)Math.Max(0, text.Length - excess));
            wasCut[index] = true;
            excess -= text.Length - texts[index]!.Length;
        }

        cut = wasCut.Count(was => was);
        var prompt = new StringBuilder();
        foreach ((string literal, int index) in pieces) prompt.Append(index < 0 ? literal : texts[index]);
        return prompt.ToString();
    }

    /// <summary>The template's parts without the lines that are dropped; the last line kept ends as the template ends.</summary>
    private List<(string Literal, int Placeholder)> KeptPieces(ReadOnlySpan<string?> values)
    {
        var pieces = new List<(string, int)>();
        bool lastDropped = false;
        int next = 0;
        foreach (PromptTemplate.Line line in _template.Lines)
        {
            int first = next;
            bool missing = true;
            foreach (PromptTemplate.Part part in line.Parts)
                if (part.Placeholder is not null && values[next++] is not null) missing = false;
            lastDropped = _options.DropLinesWithoutValues && line.HasPlaceholders && missing;
            if (lastDropped) continue;
            foreach (PromptTemplate.Part part in line.Parts) pieces.Add(part.Placeholder is null ? (part.Literal, -1) : ("", first++));
        }
        bool endsWithBreak = _template.Text.EndsWith('\n');
        if (lastDropped && !endsWithBreak && pieces is [.., ({ } literal, -1)] && literal.EndsWith('\n'))
            pieces[^1] = (literal[..^(literal.EndsWith("\r\n", StringComparison.Ordinal) ? 2 : 1)], -1);
        return pieces;
    }

    /// <summary>The beginning of a text, in whole graphemes, with the marker where there is room for it.</summary>
    private (string Text, bool Cut) Cut(string text, int limit)
    {
        if (text.Length <= limit) return (text, false);
        string marker = _options.TruncationMarker.Length < limit ? _options.TruncationMarker : "";
        int room = limit - marker.Length, length = 0;
        while (length < text.Length)
        {
            int grapheme = StringInfo.GetNextTextElementLength(text.AsSpan(length));
            if (length + grapheme > room) break;
            length += grapheme;
        }
        return (string.Concat(text.AsSpan(0, length).TrimEnd(), marker), true);
    }
}
