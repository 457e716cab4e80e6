using System.Runtime.InteropServices;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>
/// Pages that hold the keys and values of <see cref="Tokens"/> tokens in some layers: those that see everything, or those that see a window. Rows that began alike share pages until one of them writes, so that
/// copying a row, as beams and shared prompts do, copies at most its last page. In a page the keys of a head lie by element and then by token, so that a query
/// is compared with many tokens at once, and the values by token and then by element.
/// </summary>
internal sealed unsafe class CachePages
{
    /// <summary>The tokens of a page.</summary>
    public const int Tokens = 32;

    private const int Alignment = 64;

    private static long s_live;

    private readonly int _elementSize;
    private readonly nint _headBytes;
    private readonly nint _layerBytes;
    private readonly nint _bytes;
    private readonly nint _valuesAt;

    /// <summary>The pages of some layers.</summary>
    /// <param name="config">The model.</param>
    /// <param name="layers">How many layers.</param>
    /// <param name="window">How many tokens these see, the present one among them; null for all.</param>
    /// <param name="elementSize">Bytes of one number.</param>
    public CachePages(DecoderConfig config, int layers, int? window, int elementSize)
    {
        Window = window;
        _elementSize = elementSize;
        ValueStride = (config.HeadSize + 15) / 16 * 16;
        _valuesAt = (nint)config.HeadSize * Tokens * elementSize;
        _headBytes = _valuesAt + ((nint)ValueStride * Tokens * elementSize);
        _layerBytes = _headBytes * config.KeyValueHeadCount;
        _bytes = _layerBytes * layers;
    }

    /// <summary>How many pages there are at the moment, of all models.</summary>
    public static long Live => Interlocked.Read(ref s_live);

    /// <summary>How many tokens the layers see, the present one among them; null for all.</summary>
    public int? Window { get; }

    /// <summary>The distance of two tokens' values, in elements: the size of a head, rounded up to whole vectors.</summary>
    public int ValueStride { get; }

    /// <summary>The bytes of a page.</summary>
    public nint Bytes => _bytes;

    /// <summary>A page that belongs to one row; the values in it are zeros.</summary>
    public nint New()
    {
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)(_bytes + Alignment), Alignment);
        NativeMemory.Clear(memory, (nuint)(_bytes + Alignment));
        *(int*)memory = 1;
        Interlocked.Increment(ref s_live);
        return (nint)memory;
    }

    /// <summary>Gives a page to one row more.</summary>
    public static void Share(nint page) => Interlocked.Increment(ref *(int*)page);

    /// <summary>Takes a page from a row.</summary>
    public static void Release(nint page)
    {
        if (Interlocked.Decrement(ref *(int*)page) > 0) return;
        NativeMemory.AlignedFree((void*)page);
        Interlocked.Decrement(ref s_live);
    }

    /// <summary>A page that the row alone has: this one, or a copy if others have it, too.</summary>
    public nint Own(nint page)
    {
        if (Volatile.Read(ref *(int*)page) == 1) return page;
        var copy = (byte*)NativeMemory.AlignedAlloc((nuint)(_bytes + Alignment), Alignment);
        Buffer.MemoryCopy((byte*)page + Alignment, copy + Alignment, _bytes, _bytes);
        *(int*)copy = 1;
        Interlocked.Increment(ref s_live);
        Release(page);
        return (nint)copy;
    }

    /// <summary>The keys of a head, <c>[head size, tokens]</c>; the layer is counted among those of the pages.</summary>
    public byte* Keys(nint page, int layer, int head) => (byte*)page + Alignment + (_layerBytes * layer) + (_headBytes * head);

    /// <summary>The values of a head, <c>[tokens, value stride]</c>.</summary>
    public byte* Values(nint page, int layer, int head) => Keys(page, layer, head) + _valuesAt;

    /// <summary>Takes a row's last tokens over from a layer of another kind of cache.</summary>
    /// <param name="source">The layer; it holds the tokens.</param>
    /// <param name="layer">Its number among those of the pages.</param>
    /// <param name="row">The row in it.</param>
    /// <param name="pages">The row's pages; 0 where nobody looks.</param>
    /// <param name="tokens">How many tokens.</param>
    public void TakeOver(CacheLayer source, int layer, int row, ReadOnlySpan<nint> pages, int tokens)
    {
        // [keys and values, rows, heads, room, head]
        torch.Tensor room = source.Room!;
        (nint heads, nint length, nint size) = ((nint)room.shape[2], (nint)room.shape[3], (nint)room.shape[4]);
        nint start = TensorSpans.AddressOf(room), values = (nint)room.shape[1] * heads * length * size;
        nint first = ((row * heads * length) + source.Start + source.Held - tokens) * size;
        for (int head = 0; head < heads; head++, first += length * size)
        {
            if (_elementSize == sizeof(float)) Copy((uint*)start + first, (uint*)start + values + first, layer, head, pages, tokens, size);
            else Copy((ushort*)start + first, (ushort*)start + values + first, layer, head, pages, tokens, size);
        }
    }

    private void Copy<T>(T* keys, T* values, int layer, int head, ReadOnlySpan<nint> pages, int tokens, nint size)
        where T : unmanaged
    {
        for (int token = 0; token < tokens; token++, keys += size, values += size)
        {
            if (pages[token / Tokens] == 0) continue;
            int place = token % Tokens;
            T* targetKeys = (T*)Keys(pages[token / Tokens], layer, head), targetValues = (T*)Values(pages[token / Tokens], layer, head);
            for (nint d = 0; d < size; d++) targetKeys[(d * Tokens) + place] = keys[d];
            new ReadOnlySpan<T>(values, (int)size).CopyTo(new Span<T>(targetValues + ((nint)place * ValueStride), (int)size));
        }
    }
}
