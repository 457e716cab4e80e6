namespace MLComponents.Tokenization;

/// <summary>Turns a parsed regular expression into steps.</summary>
internal sealed class RegexCompiler
{
    private const int MaxInstructions = 50_000;

    private readonly string _pattern;
    private readonly List<RegexInstruction> _program = [];

    private RegexCompiler(string pattern) => _pattern = pattern;

    /// <summary>The steps of a pattern and the number of registers they use.</summary>
    public static RegexInstruction[] Compile(string pattern, RegexNode tree, out int registers)
    {
        var compiler = new RegexCompiler(pattern);
        compiler.Write(tree);
        compiler.Add(new RegexInstruction { Operation = RegexOperation.Accept });
        registers = compiler._registers;
        return [.. compiler._program];
    }

    private int _registers;

    private RegexInstruction Add(RegexInstruction instruction)
    {
        if (_program.Count == MaxInstructions)
            throw new NotSupportedException($"The regular expression {_pattern} unfolds to more than {MaxInstructions} steps, which is not supported.");
        _program.Add(instruction);
        return instruction;
    }

    private void Write(RegexNode node)
    {
        switch (node)
        {
            case RegexNode.Set set:
                Add(new RegexInstruction { Operation = RegexOperation.Set, Members = set.Members });
                break;
            case RegexNode.Sequence sequence:
                foreach (RegexNode part in sequence.Parts) Write(part);
                break;
            case RegexNode.Alternation alternation:
                WriteAlternation(alternation);
                break;
            case RegexNode.Repeat repeat:
                WriteRepeat(repeat);
                break;
            case RegexNode.Atomic atomic:
                WriteUnit(RegexOperation.Atomic, atomic.Body, negative: false);
                break;
            case RegexNode.Look look:
                WriteUnit(look.Behind ? RegexOperation.LookBehind : RegexOperation.LookAhead, look.Body, look.Negative);
                break;
            case RegexNode.At at:
                Add(new RegexInstruction { Operation = RegexOperation.Anchor, Place = at.Place });
                break;
        }
    }

    private void WriteAlternation(RegexNode.Alternation alternation)
    {
        var exits = new List<RegexInstruction>();
        for (int branch = 0; branch < alternation.Branches.Count; branch++)
        {
            bool last = branch == alternation.Branches.Count - 1;
            RegexInstruction? fork = last ? null : Add(new RegexInstruction { Operation = RegexOperation.TryNextFirst, Members = alternation.Branches[branch].First() });
            Write(alternation.Branches[branch]);
            if (fork is null) continue;
            exits.Add(Add(new RegexInstruction { Operation = RegexOperation.Jump }));
            fork.Target = _program.Count;
        }

        foreach (RegexInstruction exit in exits) exit.Target = _program.Count;
    }

    private void WriteUnit(RegexOperation operation, RegexNode body, bool negative)
    {
        RegexInstruction unit = Add(new RegexInstruction { Operation = operation, Negative = negative });
        Write(body);
        Add(new RegexInstruction { Operation = RegexOperation.Accept });
        unit.Target = _program.Count;
    }

    private void WriteRepeat(RegexNode.Repeat repeat)
    {
        if (Single(repeat.Body) is { } set)
        {
            Add(new RegexInstruction
            {
                Operation = RegexOperation.SetLoop, Members = set, Minimum = repeat.Minimum, Maximum = repeat.Maximum, Mode = repeat.Mode,
            });
            return;
        }

        if (repeat.Mode == RepeatMode.Possessive)
        {
            WriteUnit(RegexOperation.Atomic, repeat with { Mode = RepeatMode.Greedy }, negative: false);
            return;
        }

        for (int copy = 0; copy < repeat.Minimum; copy++) Write(repeat.Body);
        RegexOperation fork = repeat.Mode == RepeatMode.Lazy ? RegexOperation.TryTargetFirst : RegexOperation.TryNextFirst;
        CodePointSet? first = repeat.Mode == RepeatMode.Lazy ? null : repeat.Body.First();
        if (repeat.Maximum < 0)
        {
            int top = _program.Count;
            int register = _registers++;
            RegexInstruction loop = Add(new RegexInstruction { Operation = fork, Members = first });
            Add(new RegexInstruction { Operation = RegexOperation.Remember, Target = register });
            Write(repeat.Body);
            Add(new RegexInstruction { Operation = RegexOperation.NeedProgress, Target = register });
            Add(new RegexInstruction { Operation = RegexOperation.Jump, Target = top });
            loop.Target = _program.Count;
            return;
        }

        var forks = new List<RegexInstruction>();
        for (int copy = repeat.Minimum; copy < repeat.Maximum; copy++)
        {
            forks.Add(Add(new RegexInstruction { Operation = fork, Members = first }));
            Write(repeat.Body);
        }

        foreach (RegexInstruction instruction in forks) instruction.Target = _program.Count;
    }

    private static CodePointSet? Single(RegexNode node) => node switch
    {
        RegexNode.Set set => set.Members,
        RegexNode.Sequence { Parts: [RegexNode.Set set] } => set.Members,
        _ => null,
    };
}
