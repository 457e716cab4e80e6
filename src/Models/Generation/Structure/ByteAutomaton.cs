using System.Text;

namespace MLComponents.Models;

/// <summary>
/// A deterministic automaton over bytes: the UTF-8 of the texts that a constraint allows. From every state some text can be completed. It does not change.
/// </summary>
internal sealed class ByteAutomaton
{
    /// <summary>The state from which nothing can be completed.</summary>
    public const int Dead = -1;

    /// <summary>The state of the empty text.</summary>
    public const int Start = 0;

    private const int MostStates = 200_000;

    private readonly byte[] _classes;
    private readonly int _classCount;
    private readonly int[] _next;
    private readonly int[] _distances;
    private readonly byte[] _shortest;

    private ByteAutomaton(byte[] classes, int classCount, int[] next, int[] distances, byte[] shortest) =>
        (_classes, _classCount, _next, _distances, _shortest) = (classes, classCount, next, distances, shortest);

    /// <summary>The number of states.</summary>
    public int StateCount => _distances.Length;

    /// <summary>Makes the automaton.</summary>
    /// <param name="piece">The texts.</param>
    /// <param name="canWrite">Which bytes can be written; texts with others are left out.</param>
    /// <exception cref="NotSupportedException">It would be too large, or no text can be written.</exception>
    public static ByteAutomaton Of(TextPiece piece, Func<byte, bool> canWrite) => OfAny(piece, canWrite)
        ?? throw new NotSupportedException("No text can be written that the constraint allows: the tokenizer's vocabulary lacks tokens for the bytes of its texts, or it allows none.");

    /// <summary>As <see cref="Of"/>, but null where no text can be written.</summary>
    public static ByteAutomaton? OfAny(TextPiece piece, Func<byte, bool> canWrite)
    {
        var graph = new Graph(canWrite);
        int end = graph.Add(piece, graph.NewNode());
        return graph.Determine(end);
    }

    /// <summary>The state after a byte.</summary>
    public int Next(int state, byte value) => _next[(state * _classCount) + _classes[value]];

    /// <summary>The state after some bytes.</summary>
    public int Next(int state, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            if (state == Dead) return Dead;
            state = Next(state, value);
        }

        return state;
    }

    /// <summary>Whether a text may end here.</summary>
    public bool IsComplete(int state) => _distances[state] == 0;

    /// <summary>Whether a text may go on from here.</summary>
    public bool CanGoOn(int state) => _next.AsSpan(state * _classCount, _classCount).ContainsAnyExcept(Dead);

    /// <summary>How many bytes the shortest completion takes.</summary>
    public int Distance(int state) => _distances[state];

    /// <summary>The first byte of the shortest completion, where there is one.</summary>
    public byte Shortest(int state) => _shortest[state];

    /// <summary>A text that two automata both allow, or null.</summary>
    public static string? Common(ByteAutomaton first, ByteAutomaton second)
    {
        var seen = new HashSet<(int, int)> { (Start, Start) };
        var waiting = new Queue<(int First, int Second, byte[] Text)>([(Start, Start, [])]);
        while (waiting.TryDequeue(out var pair))
        {
            if (first.IsComplete(pair.First) && second.IsComplete(pair.Second)) return Encoding.UTF8.GetString(pair.Text);
            for (int value = 0; value < 256; value++)
            {
                int left = first.Next(pair.First, (byte)value), right = second.Next(pair.Second, (byte)value);
                if (left != Dead && right != Dead && seen.Add((left, right))) waiting.Enqueue((left, right, [.. pair.Text, (byte)value]));
            }
        }

        return null;
    }

    /// <summary>The nondeterministic automaton on the way there. Thompson 1968.</summary>
    private sealed class Graph(Func<byte, bool> canWrite)
    {
        private const int MostNodes = 2_000_000;

        private readonly List<List<int>?> _free = [];
        private readonly List<List<(byte First, byte Last, int To)>?> _edges = [];

        public int NewNode()
        {
            if (_free.Count == MostNodes) throw TooLarge();
            _free.Add(null);
            _edges.Add(null);
            return _free.Count - 1;
        }

        /// <summary>Adds a part behind a node.</summary>
        /// <returns>The node behind the part.</returns>
        public int Add(TextPiece piece, int from)
        {
            int end;
            switch (piece)
            {
                case TextPiece.Literal literal:
                    foreach (byte value in Encoding.UTF8.GetBytes(literal.Text)) from = AddByte(from, value, value);
                    return from;
                case TextPiece.Characters characters:
                    end = NewNode();
                    foreach (var sequence in characters.Ranges.Utf8())
                    {
                        int at = from;
                        for (int index = 0; index < sequence.Length - 1; index++) at = AddByte(at, sequence[index].First, sequence[index].Last);
                        AddEdge(at, sequence[^1].First, sequence[^1].Last, end);
                    }

                    return end;
                case TextPiece.Sequence sequence:
                    foreach (TextPiece part in sequence.Parts) from = Add(part, from);
                    return from;
                case TextPiece.Choice choice:
                    end = NewNode();
                    foreach (TextPiece part in choice.Choices) AddFree(Add(part, from), end);
                    return end;
                case TextPiece.Repeat repeat:
                    return AddRepeat(repeat, from);
                case TextPiece.Members members:
                    return AddMembers(members, from);
                default:
                    throw new InvalidOperationException($"There is no such part as {piece.GetType().Name}.");
            }
        }

        public ByteAutomaton? Determine(int end)
        {
            (byte[] classes, byte[] members) = Classes();
            Dictionary<ValueList<int>, int> known = [], closed = [];
            List<int[]> sets = [];
            List<int[]> rows = [];
            StateOf(Close([0]));
            for (int state = 0; state < sets.Count; state++)
            {
                var row = new int[members.Length];
                for (int kind = 0; kind < members.Length; kind++)
                {
                    List<int> reached = [];
                    foreach (int node in sets[state])
                        foreach (var (first, last, to) in _edges[node] ?? [])
                            if (members[kind] >= first && members[kind] <= last) reached.Add(to);
                    row[kind] = reached.Count == 0 ? Dead : StateBehind(reached);
                }

                rows.Add(row);
            }

            return Prune(classes, members, rows, [.. sets.Select(set => Array.BinarySearch(set, end) >= 0)]);

            // Most bytes lead to nodes that others have led to before, for which closing them need not be done again.
            int StateBehind(List<int> reached)
            {
                var key = new ValueList<int>(reached);
                if (!closed.TryGetValue(key, out int state)) closed.Add(key, state = StateOf(Close(reached)));
                return state;
            }

            int StateOf(int[] set)
            {
                var key = new ValueList<int>(set);
                if (known.TryGetValue(key, out int state)) return state;
                if (sets.Count == MostStates) throw TooLarge();
                known.Add(key, sets.Count);
                sets.Add(set);
                return sets.Count - 1;
            }
        }

        /// <summary>Leaves out the states from which nothing can be completed.</summary>
        private static ByteAutomaton? Prune(byte[] classes, byte[] members, List<int[]> rows, bool[] complete)
        {
            int count = rows.Count, kinds = members.Length;
            List<int>[] before = [.. Enumerable.Range(0, count).Select(static _ => new List<int>())];
            for (int state = 0; state < count; state++)
                foreach (int next in rows[state].Distinct().Where(static next => next != Dead)) before[next].Add(state);
            var distances = new int[count];
            Array.Fill(distances, int.MaxValue);
            var waiting = new Queue<int>(Enumerable.Range(0, count).Where(state => complete[state]));
            foreach (int state in waiting) distances[state] = 0;
            while (waiting.TryDequeue(out int state))
            {
                foreach (int earlier in before[state])
                {
                    if (distances[earlier] != int.MaxValue) continue;
                    distances[earlier] = distances[state] + 1;
                    waiting.Enqueue(earlier);
                }
            }

            if (distances[Start] == int.MaxValue) return null;
            int[] renamed = new int[count], kept = [.. Enumerable.Range(0, count).Where(state => distances[state] != int.MaxValue)];
            Array.Fill(renamed, Dead);
            for (int index = 0; index < kept.Length; index++) renamed[kept[index]] = index;
            var nexts = new int[kept.Length * kinds];
            var shortest = new byte[kept.Length];
            for (int index = 0; index < kept.Length; index++)
            {
                for (int kind = 0; kind < kinds; kind++)
                {
                    int next = rows[kept[index]][kind];
                    nexts[(index * kinds) + kind] = next == Dead ? Dead : renamed[next];
                    if (next != Dead && distances[next] == distances[kept[index]] - 1) shortest[index] = members[kind];
                }
            }

            return new ByteAutomaton(classes, kinds, nexts, [.. kept.Select(state => distances[state])], shortest);
        }

        /// <summary>Bytes that no edge tells apart belong to one class.</summary>
        private (byte[] Classes, byte[] Members) Classes()
        {
            var borders = new bool[257];
            foreach (var (first, last, _) in _edges.Where(static edges => edges is not null).SelectMany(static edges => edges!)) (borders[first], borders[last + 1]) = (true, true);
            var classes = new byte[256];
            List<byte> members = [0];
            for (int value = 1; value < 256; value++)
            {
                if (borders[value]) members.Add((byte)value);
                classes[value] = (byte)(members.Count - 1);
            }

            return (classes, [.. members]);
        }

        private int[] Close(IEnumerable<int> nodes)
        {
            var all = new SortedSet<int>();
            var waiting = new Stack<int>(nodes);
            while (waiting.TryPop(out int node))
            {
                if (!all.Add(node)) continue;
                foreach (int free in _free[node] ?? []) waiting.Push(free);
            }

            return [.. all];
        }

        private int AddRepeat(TextPiece.Repeat repeat, int from)
        {
            for (int count = 0; count < repeat.Minimum; count++) from = Add(repeat.Body, from);
            int end = NewNode();
            AddFree(from, end);
            if (repeat.Maximum is not { } maximum)
            {
                int loop = NewNode();
                AddFree(from, loop);
                int behind = Add(repeat.Body, loop);
                AddFree(behind, loop);
                AddFree(behind, end);
                return end;
            }

            for (int count = repeat.Minimum; count < maximum; count++)
            {
                from = Add(repeat.Body, from);
                AddFree(from, end);
            }

            return end;
        }

        // Two rows of nodes: where nothing was written yet, and where a separator is needed.
        private int AddMembers(TextPiece.Members members, int from)
        {
            int? none = from, some = null;
            foreach (var (piece, required) in members.Parts)
            {
                int begin = NewNode();
                if (none is { } first) AddFree(first, begin);
                if (some is { } before) AddFree(Add(members.Separator, before), begin);
                int end = Add(piece, begin);
                if (!required && some is { } skipped) AddFree(skipped, end);
                some = end;
                if (required) none = null;
            }

            int last = NewNode();
            if (none is { } empty) AddFree(empty, last);
            if (some is { } written) AddFree(written, last);
            return last;
        }

        private int AddByte(int from, byte first, byte last)
        {
            int to = NewNode();
            AddEdge(from, first, last, to);
            return to;
        }

        private void AddEdge(int from, byte first, byte last, int to)
        {
            for (int value = first; value <= last; value++)
            {
                if (!canWrite((byte)value)) continue;
                int begin = value;
                while (value < last && canWrite((byte)(value + 1))) value++;
                (_edges[from] ??= []).Add(((byte)begin, (byte)value, to));
            }
        }

        private void AddFree(int from, int to) => (_free[from] ??= []).Add(to);

        private static NotSupportedException TooLarge() => new(
            $"The constraint needs an automaton of more than {MostStates} states. Allow fewer repetitions, shorter texts or fewer optional members.");
    }
}
