namespace MLComponents.Tokenization;

/// <summary>What a step of a compiled regular expression does.</summary>
internal enum RegexOperation
{
    /// <summary>Reads one code point of a set.</summary>
    Set,

    /// <summary>Reads code points of a set, <c>Minimum</c> to <c>Maximum</c> of them, as <c>Mode</c> says.</summary>
    SetLoop,

    /// <summary>Goes on at <c>Target</c>.</summary>
    Jump,

    /// <summary>Goes on behind itself, and at <c>Target</c> if that fails.</summary>
    TryNextFirst,

    /// <summary>Goes on at <c>Target</c>, and behind itself if that fails.</summary>
    TryTargetFirst,

    /// <summary>Remembers the position in register <c>Target</c>.</summary>
    Remember,

    /// <summary>Fails where nothing was read since register <c>Target</c> was set, so that loops of nothing end.</summary>
    NeedProgress,

    /// <summary>Checks an anchor.</summary>
    Anchor,

    /// <summary>Runs the steps behind itself as a unit and goes on at <c>Target</c>.</summary>
    Atomic,

    /// <summary>Checks what follows with the steps behind itself and goes on at <c>Target</c>.</summary>
    LookAhead,

    /// <summary>Checks what precedes with the steps behind itself and goes on at <c>Target</c>.</summary>
    LookBehind,

    /// <summary>The end of the expression or of a unit.</summary>
    Accept,
}

/// <summary>One step of a compiled regular expression.</summary>
internal sealed class RegexInstruction
{
    /// <summary>What it does.</summary>
    public required RegexOperation Operation { get; init; }

    /// <summary>Where to go on, or which register.</summary>
    public int Target { get; set; }

    /// <summary>The members, of a set or a loop of one; for a fork, what the way behind it can only begin with.</summary>
    public CodePointSet? Members { get; init; }

    /// <summary>The least number of repetitions.</summary>
    public int Minimum { get; init; }

    /// <summary>The greatest number of repetitions, or -1.</summary>
    public int Maximum { get; init; }

    /// <summary>How the number of repetitions is chosen.</summary>
    public RepeatMode Mode { get; init; }

    /// <summary>The place to check.</summary>
    public Anchor Place { get; init; }

    /// <summary>Whether a look must fail.</summary>
    public bool Negative { get; init; }
}
