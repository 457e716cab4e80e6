namespace MLComponents.Tokenization;

/// <summary>How a repetition chooses its length.</summary>
internal enum RepeatMode
{
    /// <summary>As long as possible, shorter when what follows fails.</summary>
    Greedy,

    /// <summary>As short as possible.</summary>
    Lazy,

    /// <summary>As long as possible and never shorter.</summary>
    Possessive,
}

/// <summary>A place that matches without reading.</summary>
internal enum Anchor
{
    /// <summary><c>^</c></summary>
    LineStart,

    /// <summary><c>$</c></summary>
    LineEnd,

    /// <summary><c>\A</c></summary>
    TextStart,

    /// <summary><c>\z</c></summary>
    TextEnd,

    /// <summary><c>\Z</c></summary>
    TextEndOrFinalNewline,

    /// <summary><c>\b</c></summary>
    WordBoundary,

    /// <summary><c>\B</c></summary>
    NotWordBoundary,
}

/// <summary>A part of a parsed regular expression.</summary>
internal abstract record RegexNode
{
    /// <summary>What every match of the part begins with; null where that is not known or a match may be empty.</summary>
    public CodePointSet? First()
    {
        var sets = new List<CodePointSet>();
        return CollectFirst(this, sets) ? null : CodePointSet.Union(sets);
    }

    // Adds what a match may begin with; tells whether it may be empty.
    private static bool CollectFirst(RegexNode node, List<CodePointSet> sets)
    {
        switch (node)
        {
            case Set set:
                sets.Add(set.Members);
                return false;
            case Sequence sequence:
                foreach (RegexNode part in sequence.Parts)
                    if (!CollectFirst(part, sets)) return false;
                return true;
            case Alternation alternation:
                bool empty = false;
                foreach (RegexNode branch in alternation.Branches) empty |= CollectFirst(branch, sets);
                return empty;
            case Repeat repeat:
                return CollectFirst(repeat.Body, sets) | repeat.Minimum == 0;
            case Atomic atomic:
                return CollectFirst(atomic.Body, sets);
            default:
                return true; // a place or a look reads nothing
        }
    }

    /// <summary>One code point.</summary>
    public sealed record Set(CodePointSet Members) : RegexNode;

    /// <summary>One part after the other.</summary>
    public sealed record Sequence(IReadOnlyList<RegexNode> Parts) : RegexNode;

    /// <summary>The first part that leads to a match.</summary>
    public sealed record Alternation(IReadOnlyList<RegexNode> Branches) : RegexNode;

    /// <summary>A part some times; a maximum of -1 is none.</summary>
    public sealed record Repeat(RegexNode Body, int Minimum, int Maximum, RepeatMode Mode) : RegexNode;

    /// <summary>A part that is not tried again once it has matched.</summary>
    public sealed record Atomic(RegexNode Body) : RegexNode;

    /// <summary>What must, or must not, follow or precede.</summary>
    public sealed record Look(RegexNode Body, bool Behind, bool Negative) : RegexNode;

    /// <summary>A place.</summary>
    public sealed record At(Anchor Place) : RegexNode;
}
