using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MLComponents.Tokenization;

/// <summary>
/// Remembers the ids of short words, which are nearly all: fixed slots of one cache line each, that hold the word and its ids in place,
/// so that a look-up touches one line. Two slots for every hash; a new word takes the place of an old one. Any number of threads use it
/// without a lock: a slot's first number is even while nobody writes, and tells a reader that what it read is whole if it is the same
/// before and after.
/// </summary>
internal sealed class ShortWordCache
{
    /// <summary>The longest word that is kept, in UTF-16 units.</summary>
    public const int LongestWord = 16;

    private const int MostIds = 4;
    private const int SlotBits = 15;

    private readonly Slot[] _slots = new Slot[1 << SlotBits];

    /// <summary>Appends the ids of a word, if they are known.</summary>
    /// <param name="word">At most <see cref="LongestWord"/> units.</param>
    /// <param name="key">The word as the cache keeps it.</param>
    /// <param name="ids">Where the ids go.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAppend(ReadOnlySpan<char> word, out Key key, IdBuffer ids)
    {
        key = Key.Of(word);
        int place = key.Hash & ((1 << SlotBits) - 2);
        return TryAppend(ref _slots[place], key, ids) || TryAppend(ref _slots[place + 1], key, ids);
    }

    /// <summary>Keeps the ids of a word, unless there are many.</summary>
    public void Add(in Key key, ReadOnlySpan<int> ids)
    {
        if (ids.Length > MostIds) return;
        int place = key.Hash & ((1 << SlotBits) - 2);

        // The word that was asked for last stays a little longer: the older of the two makes room.
        ref Slot first = ref _slots[place];
        int version = Volatile.Read(ref first.Version);
        if (version != 0)
        {
            Slot older = first;
            Volatile.ReadBarrier();
            if (Volatile.Read(ref first.Version) == version && (version & 1) == 0) Write(ref _slots[place + 1], older.Word, older.Count, older.Ids);
        }

        SlotIds packed = default;
        ids.CopyTo(packed);
        Write(ref first, key, ids.Length, packed);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryAppend(ref Slot slot, in Key key, IdBuffer ids)
    {
        int version = Volatile.Read(ref slot.Version);
        if ((version & 1) != 0 || !slot.Word.Equals(key)) return false;
        int before = ids.Count;
        Span<int> room = ids.Reserve(MostIds);
        SlotIds kept = slot.Ids;
        int count = slot.Count;
        ((ReadOnlySpan<int>)kept).CopyTo(room);
        Volatile.ReadBarrier();
        if (Volatile.Read(ref slot.Version) != version) return false;
        ids.Truncate(before + count);
        return true;
    }

    private static void Write(ref Slot slot, in Key key, int count, in SlotIds ids)
    {
        int version = Volatile.Read(ref slot.Version);
        if ((version & 1) != 0 || Interlocked.CompareExchange(ref slot.Version, version + 1, version) != version) return; // somebody else is writing
        slot.Word = key;
        slot.Count = count;
        slot.Ids = ids;
        Volatile.Write(ref slot.Version, version + 2);
    }

    /// <summary>A word in four numbers, filled up with zeros; its length tells it from one that ends in zeros.</summary>
    public readonly struct Key
    {
        private readonly ulong _a, _b, _c, _d;
        private readonly int _length; // plus one, so that a free slot equals no word

        private Key(ulong a, ulong b, ulong c, ulong d, int length) => (_a, _b, _c, _d, _length) = (a, b, c, d, length + 1);

        /// <summary>The hash of the word; it need not resist an adversary, who can only make words be forgotten.</summary>
        public int Hash
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get
            {
                ulong hash = (_a * 0x9E3779B97F4A7C15UL) ^ BitOperations.RotateLeft((_b + (ulong)_length) * 0x9FB21C651E98DF25UL, 31);
                if (_length > 9) hash ^= BitOperations.RotateLeft(_c * 0xD6E8FEB86659FD93UL, 17) ^ (_d * 0xC2B2AE3D27D4EB4FUL);
                hash *= 0x9E3779B97F4A7C15UL;
                return (int)(hash >> 33);
            }
        }

        /// <summary>Reads a word.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Key Of(ReadOnlySpan<char> word)
        {
            ref byte start = ref Unsafe.As<char, byte>(ref MemoryMarshal.GetReference(word));
            int bytes = word.Length * 2;
            if (bytes >= 16)
            {
                // Two overlapping halves; the second is shifted so that what overlaps falls out.
                ulong a = Unsafe.ReadUnaligned<ulong>(ref start), b = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 8));
                ulong c = 0, d = 0;
                if (bytes >= 24)
                {
                    c = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 16));
                    if (bytes > 24) d = Tail(ref start, bytes, 24);
                }
                else if (bytes > 16)
                {
                    c = Tail(ref start, bytes, 16);
                }

                return new Key(a, b, c, d, word.Length);
            }

            if (bytes >= 8) return new Key(Unsafe.ReadUnaligned<ulong>(ref start), bytes > 8 ? Tail(ref start, bytes, 8) : 0, 0, 0, word.Length);
            ulong small = 0;
            for (int index = 0; index < word.Length; index++) small |= (ulong)word[index] << (16 * index);
            return new Key(small, 0, 0, 0, word.Length);
        }

        /// <summary>Whether it is the same word.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool Equals(in Key other) => ((_a ^ other._a) | (_b ^ other._b) | (_c ^ other._c) | (_d ^ other._d) | (uint)(_length ^ other._length)) == 0;

        // The bytes from a place on, fewer than eight: the last eight bytes of the word without those before the place.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static ulong Tail(ref byte start, int bytes, int from) =>
            Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, bytes - 8)) >> (8 * (from + 8 - bytes));
    }

    [InlineArray(MostIds)]
    private struct SlotIds
    {
        private int _first;
    }

    // 64 bytes: 40 of the word, 16 of ids, 8 of count and version.
    private struct Slot
    {
        public Key Word;
        public SlotIds Ids;
        public int Count;
        public int Version;
    }
}
