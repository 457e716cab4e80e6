using System.Runtime.InteropServices;

namespace MLComponents.Tokenization;

/// <summary>
/// Remembers the ids of words. A fixed number of places, two for every hash; a new word takes the place of an old one, so that memory is
/// bounded. Entries are immutable and places are written atomically, so that any number of threads use it without a lock.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Longer words are not kept: they rarely come back.</summary>
    public const int LongestWord = 40;

    private const int Bits = 16;

    private readonly Entry?[] _entries = new Entry?[1 << Bits];

    /// <summary>The ids of a word, if they are known.</summary>
    public bool TryGet(ReadOnlySpan<char> word, int hash, out ReadOnlySpan<int> ids)
    {
        int place = hash & ((1 << Bits) - 2);
        Entry? entry = _entries[place];
        if (entry is null || entry.Hash != hash || !word.SequenceEqual(entry.Word))
        {
            entry = _entries[place + 1];
            if (entry is null || entry.Hash != hash || !word.SequenceEqual(entry.Word))
            {
                ids = default;
                return false;
            }
        }

        ids = entry.Ids;
        return true;
    }

    /// <summary>Keeps the ids of a word.</summary>
    public void Add(ReadOnlySpan<char> word, int hash, ReadOnlySpan<int> ids)
    {
        int place = hash & ((1 << Bits) - 2);
        var entry = new Entry(hash, word.ToArray(), ids.ToArray());
        if (Volatile.Read(ref _entries[place]) is { } older) Volatile.Write(ref _entries[place + 1], older);
        Volatile.Write(ref _entries[place], entry);
    }

    /// <summary>The hash of a word; it need not resist an adversary, who can only make words be forgotten.</summary>
    public static int Hash(ReadOnlySpan<char> word)
    {
        ulong hash = (ulong)word.Length * 0x9E3779B97F4A7C15UL;
        while (word.Length >= 4)
        {
            hash = (hash ^ MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(word))) * 0x9FB21C651E98DF25UL;
            hash ^= hash >> 32;
            word = word[4..];
        }

        foreach (char unit in word) hash = (hash ^ unit) * 0x9FB21C651E98DF25UL;
        return (int)(hash >> 29);
    }

    private sealed class Entry(int hash, char[] word, int[] ids)
    {
        public readonly int Hash = hash;
        public readonly char[] Word = word;
        public readonly int[] Ids = ids;
    }
}
