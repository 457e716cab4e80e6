namespace MLComponents.Tokenization;

/// <summary>
/// A regular expression on code points, for the patterns that have no matcher of their own. .NET's Regex works on UTF-16 units, in
/// which a letter beyond U+FFFF is no <c>\p{L}</c>. A backtracking matcher with its own stack: no text overflows the thread's.
/// </summary>
internal sealed class CodePointRegex : TextPattern
{
    /// <summary>How many steps one search may take before it is given up.</summary>
    public const int StepLimit = 20_000_000;

    [ThreadStatic]
    private static RegexScratch? _scratch;

    private readonly string _pattern;
    private readonly RegexInstruction[] _program;
    private readonly int _registers;
    private readonly CodePointSet? _first;

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="FormatException">It is not a regular expression.</exception>
    /// <exception cref="NotSupportedException">It uses what this engine does not know; the message names it.</exception>
    public CodePointRegex(string pattern)
    {
        _pattern = pattern;
        RegexNode tree = RegexParser.Parse(pattern);
        _program = RegexCompiler.Compile(pattern, tree, out _registers);
        _first = tree.First();
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The search took more than <see cref="StepLimit"/> steps.</exception>
    public override bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        RegexScratch scratch = _scratch ??= new RegexScratch();
        scratch.Begin(_registers);
        var matcher = new Matcher(this, text, scratch);
        for (start = from; start <= text.Length; start++)
        {
            int length = 1;
            if (start == text.Length)
            {
                if (_first is not null) break;
            }
            else if (_first is not null && !_first.Contains(CodePoints.At(text, start, out length)))
            {
                start += length - 1;
                continue;
            }

            bool insidePair = start > 0 && start < text.Length && char.IsLowSurrogate(text[start]) && char.IsHighSurrogate(text[start - 1]);
            if (!insidePair && matcher.Run(0, start, -1, out end)) return true;
        }

        start = end = text.Length + 1;
        return false;
    }

    private ref struct Matcher(CodePointRegex regex, ReadOnlySpan<char> text, RegexScratch scratch)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private readonly RegexInstruction[] _program = regex._program;
        private int _steps = 0;

        /// <summary>Runs the steps from one up to its Accept; where an end is required, matches that end elsewhere do not count.</summary>
        public bool Run(int at, int position, int requiredEnd, out int end)
        {
            int bottom = scratch.Count;
            while (true)
            {
                if (++_steps > StepLimit)
                    throw new InvalidOperationException($"The regular expression {regex._pattern} of the tokenizer needs more than {StepLimit} steps on this text.");
                RegexInstruction instruction = _program[at];
                bool holds = true;
                switch (instruction.Operation)
                {
                    case RegexOperation.Accept when requiredEnd < 0 || position == requiredEnd:
                        scratch.Count = bottom;
                        end = position;
                        return true;
                    case RegexOperation.Accept:
                        holds = false;
                        break;
                    case RegexOperation.Set:
                        holds = Read(instruction.Members!, ref position);
                        at++;
                        break;
                    case RegexOperation.SetLoop:
                        holds = Loop(instruction, at, ref position);
                        at++;
                        break;
                    case RegexOperation.Jump:
                        at = instruction.Target;
                        break;
                    case RegexOperation.TryNextFirst:
                        if (instruction.Members is { } first && !Next(first, position))
                        {
                            at = instruction.Target;
                            break;
                        }

                        scratch.Push(new RegexChoice(instruction.Target, position, position, -1));
                        at++;
                        break;
                    case RegexOperation.TryTargetFirst:
                        scratch.Push(new RegexChoice(at + 1, position, position, -1));
                        at = instruction.Target;
                        break;
                    case RegexOperation.Remember:
                        scratch.Push(new RegexChoice(-1, scratch.Registers[instruction.Target], instruction.Target, -1));
                        scratch.Registers[instruction.Target] = position;
                        at++;
                        break;
                    case RegexOperation.NeedProgress:
                        holds = position > scratch.Registers[instruction.Target];
                        at++;
                        break;
                    case RegexOperation.Anchor:
                        holds = IsAt(instruction.Place, position);
                        at++;
                        break;
                    case RegexOperation.Atomic:
                        holds = Run(at + 1, position, -1, out position);
                        at = instruction.Target;
                        break;
                    case RegexOperation.LookAhead:
                        holds = Run(at + 1, position, -1, out _) != instruction.Negative;
                        at = instruction.Target;
                        break;
                    case RegexOperation.LookBehind:
                        holds = Precedes(at + 1, position) != instruction.Negative;
                        at = instruction.Target;
                        break;
                }

                if (!holds && !Backtrack(bottom, out at, out position))
                {
                    end = position;
                    return false;
                }
            }
        }

        private bool Backtrack(int bottom, out int at, out int position)
        {
            while (scratch.Count > bottom)
            {
                RegexChoice choice = scratch.Pop();
                if (choice.At < 0)
                {
                    scratch.Registers[choice.Limit] = choice.Position;
                    continue;
                }

                (at, position) = (choice.At, choice.Position);
                if (choice.Loop < 0)
                {
                    // A greedy loop gives back one code point at a time.
                    if (position > choice.Limit)
                    {
                        CodePoints.Before(_text, position, out int length);
                        scratch.Push(choice with { Position = position - length });
                    }

                    return true;
                }

                // A lazy loop takes one code point more.
                RegexInstruction loop = _program[choice.Loop];
                if (choice.Limit == 0 || !Read(loop.Members!, ref position)) continue;
                scratch.Push(choice with { Position = position, Limit = choice.Limit - 1 });
                return true;
            }

            (at, position) = (0, 0);
            return false;
        }

        private readonly bool Next(CodePointSet members, int position) =>
            position < _text.Length && members.Contains(CodePoints.At(_text, position, out _));

        private readonly bool Read(CodePointSet members, ref int position)
        {
            if (position >= _text.Length || !members.Contains(CodePoints.At(_text, position, out int length))) return false;
            position += length;
            return true;
        }

        private readonly bool Loop(RegexInstruction loop, int at, ref int position)
        {
            int count = 0;
            CodePointSet members = loop.Members!;
            for (; count < loop.Minimum; count++)
                if (!Read(members, ref position)) return false;
            int left = loop.Maximum < 0 ? int.MaxValue : loop.Maximum - count;
            if (loop.Mode == RepeatMode.Lazy)
            {
                scratch.Push(new RegexChoice(at + 1, position, left, at));
                return true;
            }

            int least = position;
            for (; left > 0 && Read(members, ref position); left--) ;
            if (loop.Mode == RepeatMode.Greedy && position > least)
            {
                CodePoints.Before(_text, position, out int length);
                scratch.Push(new RegexChoice(at + 1, position - length, least, -1));
            }

            return true;
        }

        private bool Precedes(int at, int position)
        {
            for (int start = position; start >= 0; start--)
                if (Run(at, start, position, out _)) return true;
            return false;
        }

        private readonly bool IsAt(Anchor place, int position) => place switch
        {
            Anchor.TextStart => position == 0,
            Anchor.TextEnd => position == _text.Length,
            Anchor.TextEndOrFinalNewline => position == _text.Length || (position == _text.Length - 1 && _text[position] == '\n'),
            Anchor.LineStart => position == 0 || (_text[position - 1] == '\n' && position < _text.Length),
            Anchor.LineEnd => position == _text.Length || _text[position] == '\n',
            Anchor.WordBoundary => IsWordBoundary(position),
            _ => !IsWordBoundary(position),
        };

        private readonly bool IsWordBoundary(int position)
        {
            bool before = position > 0 && CodePoints.IsWordCharacter(CodePoints.Before(_text, position, out _));
            bool after = position < _text.Length && CodePoints.IsWordCharacter(CodePoints.At(_text, position, out _));
            return before != after;
        }
    }
}
