using System.Numerics;
using System.Runtime.CompilerServices;

namespace MLComponents.Tokenization;

/// <summary>Which two neighbouring tokens become one, and how early: an open-addressing hash table from pairs of ids, at most half full.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that does not merge.</summary>
    public const int None = int.MaxValue;

    private Slot[] _slots;
    private int _shift;
    private int _count;

    /// <summary>An empty table for a number of merges.</summary>
    public MergeTable(int capacity)
    {
        _slots = new Slot[1 << (BitOperations.Log2((uint)Math.Max(16, capacity)) + 2)];
        _shift = 64 - BitOperations.Log2((uint)_slots.Length);
    }

    /// <summary>What pairs merge to.</summary>
    public HashSet<int> Results => [.. _slots.Where(slot => slot.Key != 0).Select(slot => slot.Merged)];

    /// <summary>Sets what a pair merges to. A pair listed again takes the later rank, as in the reference.</summary>
    public void Set(int left, int right, int rank, int merged)
    {
        if (_count >= _slots.Length / 2) Grow();
        if (Put(new Slot { Key = Key(left, right), Rank = rank, Merged = merged })) _count++;
    }

    /// <summary>The rank of a pair, lower merging earlier, or <see cref="None"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right, out int merged)
    {
        ulong key = Key(left, right);
        Slot[] slots = _slots;
        int mask = slots.Length - 1;
        for (int index = Index(key); ; index = (index + 1) & mask)
        {
            ref readonly Slot slot = ref slots[index];
            if (slot.Key == key)
            {
                merged = slot.Merged;
                return slot.Rank;
            }

            if (slot.Key == 0)
            {
                merged = -1;
                return None;
            }
        }
    }

    // Never 0, which marks a free slot.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Key(int left, int right) => ((ulong)(uint)(left + 1) << 32) | (uint)right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Index(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);

    private bool Put(Slot slot)
    {
        int mask = _slots.Length - 1;
        int index = Index(slot.Key);
        while (_slots[index].Key != 0 && _slots[index].Key != slot.Key) index = (index + 1) & mask;
        bool added = _slots[index].Key == 0;
        _slots[index] = slot;
        return added;
    }

    private void Grow()
    {
        Slot[] old = _slots;
        _slots = new Slot[old.Length * 2];
        _shift--;
        foreach (Slot slot in old)
            if (slot.Key != 0) Put(slot);
    }

    private struct Slot
    {
        public ulong Key;
        public int Rank;
        public int Merged;
    }
}
