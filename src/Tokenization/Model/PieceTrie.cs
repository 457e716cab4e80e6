using System.Numerics;

namespace MLComponents.Tokenization;

/// <summary>A trie of texts, by UTF-16 units: an open-addressing hash table from a node and a unit to the next node.</summary>
internal sealed class PieceTrie
{
    /// <summary>The node of the empty text.</summary>
    public const int Root = 0;

    private readonly List<int> _values = [-1];
    private ulong[] _keys = new ulong[1 << 10]; // 0 is free
    private int[] _nodes = new int[1 << 10];
    private int _shift = 64 - 10;

    /// <summary>Adds a text with a value of 0 or more; a later value for the same text wins.</summary>
    public void Add(ReadOnlySpan<char> text, int value)
    {
        int node = Root;
        foreach (char unit in text)
        {
            int next = Next(node, unit);
            if (next < 0)
            {
                next = _values.Count;
                _values.Add(-1);
                if (_values.Count > _keys.Length / 2) Grow();
                Put(Key(node, unit), next);
            }

            node = next;
        }

        _values[node] = value;
    }

    /// <summary>The node that a unit leads to, or -1.</summary>
    public int Next(int node, char unit)
    {
        ulong key = Key(node, unit);
        int mask = _keys.Length - 1;
        for (int index = Index(key); ; index = (index + 1) & mask)
        {
            if (_keys[index] == key) return _nodes[index];
            if (_keys[index] == 0) return -1;
        }
    }

    /// <summary>The value of the text that ends at a node, or -1.</summary>
    public int Value(int node) => _values[node];

    private static ulong Key(int node, char unit) => ((ulong)(uint)(node + 1) << 16) | unit;

    private int Index(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);

    private void Put(ulong key, int node)
    {
        int mask = _keys.Length - 1;
        int index = Index(key);
        while (_keys[index] != 0) index = (index + 1) & mask;
        (_keys[index], _nodes[index]) = (key, node);
    }

    private void Grow()
    {
        (ulong[] keys, int[] nodes) = (_keys, _nodes);
        _keys = new ulong[keys.Length * 2];
        _nodes = new int[keys.Length * 2];
        _shift = 64 - BitOperations.Log2((uint)_keys.Length);
        for (int index = 0; index < keys.Length; index++)
            if (keys[index] != 0) Put(keys[index], nodes[index]);
    }
}
