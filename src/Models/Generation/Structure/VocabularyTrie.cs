using System.Runtime.CompilerServices;
using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>The bytes of all tokens, as a tree in the order of a walk through it: what follows a node is below it, up to where its subtree ends.</summary>
internal sealed class VocabularyTrie
{
    private static readonly ConditionalWeakTable<PretrainedTokenizer, VocabularyTrie> s_known = [];

    private readonly byte[]?[] _bytes;
    private readonly List<byte> _labels = [];
    private readonly List<int> _depths = [];
    private readonly List<int> _ends = [];
    private readonly List<int[]> _tokens = [];
    private readonly bool[] _single = new bool[256];

    private VocabularyTrie(PretrainedTokenizer tokenizer)
    {
        _bytes = [.. Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.BytesOf)];
        int[] ordered = [.. Enumerable.Range(0, _bytes.Length).Where(id => _bytes[id] is { Length: > 0 })];
        Array.Sort(ordered, (left, right) => _bytes[left].AsSpan().SequenceCompareTo(_bytes[right]));
        foreach (int id in ordered)
        {
            LongestToken = Math.Max(LongestToken, _bytes[id]!.Length);
            if (_bytes[id]!.Length == 1) _single[_bytes[id]![0]] = true;
        }

        Add(ordered, 0);
    }

    /// <summary>The tree of a tokenizer, which is made once.</summary>
    public static VocabularyTrie Of(PretrainedTokenizer tokenizer) => s_known.GetValue(tokenizer, static tokenizer => new VocabularyTrie(tokenizer));

    /// <summary>The number of bytes of the longest token.</summary>
    public int LongestToken { get; }

    /// <summary>The number of nodes.</summary>
    public int Count => _labels.Count;

    /// <summary>The bytes of a token, or null if it has none: a special token.</summary>
    public byte[]? BytesOf(int id) => id < _bytes.Length ? _bytes[id] : null;

    /// <summary>Whether a byte is a token of its own.</summary>
    public bool HasByte(byte value) => _single[value];

    /// <summary>Visits all tokens that an automaton can read from a state.</summary>
    /// <param name="automaton">The automaton.</param>
    /// <param name="state">The state.</param>
    /// <param name="visit">Takes the ids of tokens with the same bytes, and the state after them.</param>
    public void Visit(ByteAutomaton automaton, int state, Action<int[], int> visit)
    {
        var states = new int[LongestToken + 1];
        states[0] = state;
        for (int node = 0; node < _labels.Count;)
        {
            int depth = _depths[node], next = automaton.Next(states[depth], _labels[node]);
            if (next == ByteAutomaton.Dead)
            {
                node = _ends[node];
                continue;
            }

            states[depth + 1] = next;
            if (_tokens[node].Length > 0) visit(_tokens[node], next);
            node++;
        }
    }

    /// <summary>The longest token that an automaton's shortest completion begins with.</summary>
    /// <returns>The state after it.</returns>
    public int FollowShortest(ByteAutomaton automaton, int state)
    {
        int at = state, best = ByteAutomaton.Dead;
        for (int node = 0, end = _labels.Count, depth = 0; node < end && automaton.Distance(at) > 0;)
        {
            if (_depths[node] != depth || _labels[node] != automaton.Shortest(at))
            {
                node = _ends[node];
                continue;
            }

            at = automaton.Next(at, _labels[node]);
            if (_tokens[node].Length > 0) best = at;
            (end, depth) = (_ends[node], depth + 1);
            node++;
        }

        return best;
    }

    private void Add(ReadOnlySpan<int> ids, int depth)
    {
        for (int first = 0; first < ids.Length;)
        {
            byte label = _bytes[ids[first]]![depth];
            int end = first;
            while (end < ids.Length && _bytes[ids[end]]![depth] == label) end++;
            int node = _labels.Count, same = first;
            while (same < end && _bytes[ids[same]]!.Length == depth + 1) same++;
            _labels.Add(label);
            _depths.Add(depth);
            _ends.Add(0);
            _tokens.Add(ids[first..same].ToArray());
            Add(ids[same..end], depth + 1);
            _ends[node] = _labels.Count;
            first = end;
        }
    }
}
