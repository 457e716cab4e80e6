using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>
/// Reads a window of rows ahead, has them computed together and serves them in their own order. The window starts small and
/// doubles, so that a preview stays cheap, and is bounded in rows and in characters, so that memory does not grow with the data.
/// </summary>
internal sealed class ReadAheadCursor<TInput, TResult> : DataViewRowCursor
{
    private readonly ReadAheadMap<TInput, TResult> _map;
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly SlotBuffer?[] _columns;
    private readonly Func<TInput> _read;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly ReadAheadWindow<TInput, TResult> _window;
    private long[] _batchNumbers = [];
    private DataViewRowId[] _ids = [];
    private int _windowRows;
    private int _slot = -1;
    private long _position = -1;
    private bool _finished;
    private bool _disposed;

    public ReadAheadCursor(ReadAheadMap<TInput, TResult> map, DataViewRowCursor input, bool[] active)
    {
        (_map, _input, _active) = (map, input, active);
        _columns = [.. map.InputSchema.Select(column => active[column.Index] ? SlotBuffer.Create(input, column) : null)];
        _read = map.Reader(input);
        _id = input.GetIdGetter();
        _window = map.NewWindow();
    }

    public override DataViewSchema Schema => _map.OutputSchema;

    public override long Position => _position;

    public override long Batch => _slot >= 0 ? _batchNumbers[_slot] : _input.Batch;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override bool MoveNext()
    {
        if (_finished) return false;
        if (_slot + 1 >= _window.Count && !Fill())
        {
            _finished = true;
            _slot = -1;
            _position = -1;
            _window.Tell();
            return false;
        }
        _slot++;
        _position++;
        return true;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = _ids[Slot()];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!_active[column.Index]) throw RowMap.Inactive(column);
        Delegate getter = _map.IsAdded(column.Index)
            ? _map.Getter(column.Index, () => _window[Slot()])
            : _columns[column.Index]!.Getter(Slot);
        return RowMap.Typed<TValue>(getter, column);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _window.Tell();
            _window.Clear();
            _input.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Slot() => _slot >= 0 ? _slot
        : throw new InvalidOperationException("The cursor stands on no row: call MoveNext first, and stop when it returns false.");

    private bool Fill()
    {
        _map.CheckAlive();
        _windowRows = _windowRows == 0 ? Math.Min(_map.FirstRows, _map.MostRows) : (int)Math.Min(2L * _windowRows, _map.MostRows);
        _window.Clear();
        _slot = -1;
        for (long characters = 0; _window.Count < _windowRows && characters < ReadAhead.MostCharacters && _input.MoveNext();)
        {
            int slot = _window.Count;
            if (slot == _ids.Length) Grow();
            foreach (SlotBuffer? column in _columns) column?.Fetch(slot);
            _batchNumbers[slot] = _input.Batch;
            _id(ref _ids[slot]);
            TInput input = _read();
            _window.Add(input);
            characters += _map.Characters(input);
        }
        return _window.Count > 0;
    }

    private void Grow()
    {
        int slots = Math.Min(_windowRows, Math.Max(16, 2 * _ids.Length));
        Array.Resize(ref _ids, slots);
        Array.Resize(ref _batchNumbers, slots);
        foreach (SlotBuffer? column in _columns) column?.Grow(slots);
    }
}
