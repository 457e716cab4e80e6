using System.Numerics;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// The keys and values of one layer, in a room that is longer than what it holds: a new token is written behind the last one, and attention reads a part of the
/// room, so nothing is copied but the new token. A layer with a window forgets from the front; when it reaches the end of its room, which is twice as long as
/// the window, what it still holds moves to the front, so that a token costs the same on average however long the text is.
/// </summary>
internal sealed class CacheLayer : IDisposable
{
    private const int FirstRoom = 64;

    private readonly int? _maximum;
    private readonly int _mostHeld;
    private readonly long _largestRoom;

    // [keys and values, rows, heads, room, head], and its two halves.
    private Tensor? _room;
    private Tensor? _keys;
    private Tensor? _values;
    private int _start;

    /// <summary>An empty layer.</summary>
    /// <param name="window">How many tokens, itself included, a token sees; null to hold all.</param>
    /// <param name="maximum">The most tokens that will ever be added, or null if that is not known.</param>
    public CacheLayer(int? window, int? maximum = null)
    {
        Window = window;
        _maximum = maximum;

        // The next token sees itself and the window less one before it.
        _mostHeld = window - 1 ?? int.MaxValue;
        _largestRoom = Math.Min(2L * window ?? int.MaxValue, maximum ?? int.MaxValue);
    }

    /// <summary>How many tokens a token sees, or null if the layer holds all.</summary>
    public int? Window { get; }

    /// <summary>How many tokens of each row were added.</summary>
    public int Seen { get; private set; }

    /// <summary>How many of them, the last ones, are held.</summary>
    public int Held { get; private set; }

    /// <summary>The tensor that holds the tokens, <c>[2, rows, key-value heads, room, head]</c>, or null if there was none yet.</summary>
    public Tensor? Room => _room;

    /// <summary>Where in the room the first token held is.</summary>
    public int Start => _start;

    /// <summary>Makes the whole room at once.</summary>
    public void Allocate(long rows, long heads, long headSize, ScalarType dtype, Device device) =>
        Replace(NewRoom(rows, heads, _largestRoom, headSize, dtype, device));

    /// <summary>Adds new tokens.</summary>
    /// <param name="keys"><c>[rows, key-value heads, new tokens, head]</c>.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    /// <returns>
    /// Those of the tokens held so far and of the new ones, <c>[rows, key-value heads, held + new tokens, head]</c>, in the current dispose scope: parts of the
    /// room, good until the next token is added. Copies where a chunk is too long for the room, and where gradients have to reach the new tokens.
    /// </returns>
    public (Tensor Keys, Tensor Values) Append(Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        int added = (int)keys.shape[2], all = Held + added, kept = Math.Min(all, _mostHeld);
        bool fits = MakeRoom(keys, added);
        if (fits) Write(_start + Held, keys, values);
        bool isPart = fits && !(is_grad_enabled() && (keys.requires_grad || values.requires_grad));
        Tensor allKeys = isPart ? _keys!.narrow(2, _start, all) : Join(_keys!, keys);
        Tensor allValues = isPart ? _values!.narrow(2, _start, all) : Join(_values!, values);
        if (!fits) Write(0, allKeys.narrow(2, all - kept, kept), allValues.narrow(2, all - kept, kept));
        _start = fits ? _start + all - kept : 0;
        Held = kept;
        Seen += added;
        return (allKeys.MoveToOuterDisposeScope(), allValues.MoveToOuterDisposeScope());
    }

    /// <summary>Forgets all tokens behind the first ones, none of which may have been forgotten.</summary>
    public void Crop(int length) => (Seen, Held) = (length, length);

    /// <summary>Forgets the first tokens seen, whether they are held or not.</summary>
    public void ForgetFirst(int count)
    {
        Seen -= count;
        int gone = Math.Max(0, Held - Seen);
        (Held, _start) = (Held - gone, _start + gone);
    }

    /// <summary>Appends the rows of another layer of the same kind. What is held fewer tokens of lies behind zeros.</summary>
    public void Join(CacheLayer other)
    {
        if (_room is null || other._room is null) return;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        int held = Math.Max(Held, other.Held);
        long rows = _room.shape[1], added = other._room.shape[1];
        Tensor room = NewRoom(rows + added, _room.shape[2], RoomFor(Math.Max(held, _room.shape[3])), _room.shape[4], _room.dtype, _room.device);
        room.narrow(3, 0, held).zero_();
        room.narrow(1, 0, rows).narrow(3, held - Held, Held).copy_(_room.narrow(3, _start, Held));
        room.narrow(1, rows, added).narrow(3, held - other.Held, other.Held).copy_(other._room.narrow(3, other._start, other.Held));
        Replace(room);
        (Seen, Held) = (Math.Max(Seen, other.Seen), held);
    }

    /// <summary>Forgets all tokens; the room stays.</summary>
    public void Reset() => (Seen, Held, _start) = (0, 0, 0);

    /// <summary>Puts rows in the place of others. Copies row by row: many times faster than by a tensor of indices.</summary>
    /// <param name="rows">For each row the one that takes its place.</param>
    /// <param name="moved">The rows for which that is another one.</param>
    public void Reorder(long[] rows, long[] moved)
    {
        if (_room is null || Held == 0) return;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor held = _room.narrow(3, _start, Held);

        // What is overwritten and needed elsewhere is put aside.
        var aside = moved.Where(row => moved.Any(other => rows[other] == row)).ToDictionary(row => row, row => held.select(1, row).clone());
        foreach (long row in moved) held.select(1, row).copy_(aside.GetValueOrDefault(rows[row]) ?? held.select(1, rows[row]));
    }

    /// <summary>Makes these rows, in this order, the only ones; a row may be named several times.</summary>
    public void Select(long[] rows)
    {
        if (_room is null) return;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor room = NewRoom(rows.Length, _room.shape[2], _room.shape[3], _room.shape[4], _room.dtype, _room.device);
        Tensor source = _room.narrow(3, _start, Held), target = room.narrow(3, 0, Held);
        for (int row = 0; row < rows.Length; row++) target.select(1, row).copy_(source.select(1, rows[row]));
        Replace(room);
    }

    /// <summary>Another layer that holds the same.</summary>
    public CacheLayer Clone()
    {
        var clone = new CacheLayer(Window, _maximum) { Seen = Seen, Held = Held };
        if (_room is not null) clone.Replace(CopyRoom(_room.shape[3]));
        return clone;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _room?.Dispose();
        _keys?.Dispose();
        _values?.Dispose();
        (_room, _keys, _values) = (null, null, null);
    }

    /// <summary>Sees to it that the new tokens can be written behind those held.</summary>
    /// <returns>Whether they can; if not, they are too many for a room of the window's size.</returns>
    private bool MakeRoom(Tensor added, int count)
    {
        long[] shape = added.shape;
        long needed = (long)Held + count;
        if (_room is null || (Held == 0 && _room.shape[1] != shape[0]))
            Replace(NewRoom(shape[0], shape[1], RoomFor(needed), shape[3], added.dtype, added.device));
        long size = _room!.shape[3];
        if (_start + needed <= size) return true;
        if (size < _largestRoom)
        {
            size = RoomFor(Math.Max(needed, 2 * size));
            Replace(CopyRoom(size));
            return needed <= size;
        }

        if (needed > size || _start < Held) return false;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _room.narrow(3, 0, Held).copy_(_room.narrow(3, _start, Held));
        _start = 0;
        return true;
    }

    private long RoomFor(long tokens) => Math.Min(_largestRoom, Math.Max(FirstRoom, (long)BitOperations.RoundUpToPowerOf2((ulong)tokens)));

    private void Write(int position, Tensor keys, Tensor values)
    {
        using var noGradient = no_grad();
        long count = keys.shape[2];
        _keys!.narrow(2, position, count).copy_(keys);
        _values!.narrow(2, position, count).copy_(values);
    }

    private Tensor Join(Tensor room, Tensor added) => Held == 0 ? added.alias() : cat([room.narrow(2, _start, Held), added], 2);

    /// <summary>Another room, with what is held at its front.</summary>
    private Tensor CopyRoom(long size)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor room = NewRoom(_room!.shape[1], _room.shape[2], size, _room.shape[4], _room.dtype, _room.device);
        room.narrow(3, 0, Held).copy_(_room.narrow(3, _start, Held));
        return room.MoveToOuterDisposeScope();
    }

    private void Replace(Tensor room)
    {
        using var ordinary = inference_mode(false);
        Dispose();
        _room = room.DetachFromDisposeScope();
        _keys = room.select(0, 0).DetachFromDisposeScope();
        _values = room.select(0, 1).DetachFromDisposeScope();
        _start = 0;
    }

    private static Tensor NewRoom(long rows, long heads, long size, long headSize, ScalarType dtype, Device device)
    {
        // A tensor made under inference_mode could not be written to outside of it.
        using var ordinary = inference_mode(false);
        return empty([2, rows, heads, size, headSize], dtype, device);
    }
}
