using System.Runtime.CompilerServices;

namespace MLComponents.Tokenization;

/// <summary>One rendering: what it has written, where it is, and how much work it may still do.</summary>
internal sealed class RenderContext
{
    private const int MaxCalls = 400; // of macros and recursive loops within each other; Python stops earlier

    private readonly ChatTemplateLimits _limits;
    private long _steps;
    private long _created;
    private int _calls;

    public RenderContext(ChatTemplateLimits limits, TimeProvider time)
    {
        _limits = limits;
        Time = time;
        Keys = new KeyComparer(this);
        Root = Output = new OutputBuffer(this);
    }

    /// <summary>The clock of strftime_now.</summary>
    public TimeProvider Time { get; }

    /// <summary>How keys of dictionaries are compared.</summary>
    public KeyComparer Keys { get; }

    /// <summary>The most characters of any text.</summary>
    public int MaxText => _limits.MaxOutputLength;

    /// <summary>Where text goes: the root, or the buffer of a block that is being captured.</summary>
    public OutputBuffer Output { get; set; }

    /// <summary>The rendered text.</summary>
    public OutputBuffer Root { get; }

    /// <summary>What is being evaluated.</summary>
    public Position Position { get; set; }

    /// <summary>The blocks of the template by name.</summary>
    public required IReadOnlyDictionary<string, BlockStatement> Blocks { get; init; }

    /// <summary>The variables that the template was given, and those that it sets outside of loops and blocks.</summary>
    public required Scope Global { get; init; }

    /// <summary>Start and length, in code points, of what generation blocks gave; the start counts what the root had when they ended.</summary>
    public List<(int Start, int Length)> Generations { get; } = [];

    /// <summary>Counts a step, and makes sure that there is stack left for it.</summary>
    public void Step()
    {
        if (++_steps > _limits.MaxSteps) throw Fault.Limit($"The template takes more than {_limits.MaxSteps} steps ({nameof(ChatTemplateLimits)}.{nameof(ChatTemplateLimits.MaxSteps)}).");
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Fault.Limit("The template or its values are nested too deeply.");
    }

    /// <summary>Accounts for a text or list before it is made.</summary>
    public void Charge(long size)
    {
        if (size > _limits.MaxOutputLength)
            throw Fault.Limit($"The template makes a text or list of more than {_limits.MaxOutputLength} characters or items ({nameof(ChatTemplateLimits)}.{nameof(ChatTemplateLimits.MaxOutputLength)}).");
        _created += Math.Max(size, 0);
        if (_created > _limits.MaxCreated)
            throw Fault.Limit($"The template makes texts and lists of more than {_limits.MaxCreated} characters and items together ({nameof(ChatTemplateLimits)}.{nameof(ChatTemplateLimits.MaxCreated)}).");
    }

    /// <summary>A text that was made, accounted for.</summary>
    public string Made(string text)
    {
        Charge(text.Length);
        return text;
    }

    /// <summary>The items of an iteration as an array, counted as they come.</summary>
    public object?[] Collect(IEnumerable<object?> items)
    {
        var all = new List<object?>();
        foreach (object? item in items)
        {
            Step();
            if ((all.Count & 1023) == 0) Charge(1024);
            all.Add(item);
        }

        return [.. all];
    }

    /// <summary>What an action writes, instead of writing it.</summary>
    public string Capture(Action action)
    {
        OutputBuffer outer = Output;
        var inner = new OutputBuffer(this);
        Output = inner;
        try
        {
            action();
            return inner.ToString();
        }
        finally
        {
            Output = outer;
        }
    }

    /// <summary>Runs the body of a macro or of a recursive loop.</summary>
    public string Call(Action body)
    {
        if (++_calls > MaxCalls) throw Fault.Value("maximum recursion depth exceeded");
        Position caller = Position;
        try
        {
            return Capture(body);
        }
        finally
        {
            _calls--;
            Position = caller;
        }
    }
}
