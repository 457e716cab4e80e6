using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>
/// Reads a window of rows ahead, scores them in batches of like length and serves them in their own order. The window starts at
/// one batch and doubles, so that a preview stays cheap, and is bounded in rows and in characters, so that memory does not grow
/// with the data.
/// </summary>
internal sealed class ClassificationCursor : DataViewRowCursor
{
    /// <summary>A window of very long texts ends here, whatever <see cref="SequenceClassificationSettings.LookAhead"/> says: 4 M characters, 8 MB.</summary>
    internal const int MostCharacters = 1 << 22;

    private readonly SequenceClassificationTransformer _transformer;
    private readonly ClassificationMap _map;
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly SlotBuffer?[] _columns;
    private readonly ValueGetter<ReadOnlyMemory<char>> _text;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly TruncationReport _report = new();
    private readonly ScoringWindow _window;
    private long[] _batchNumbers = [];
    private DataViewRowId[] _ids = [];
    private int _windowRows;
    private int _slot = -1;
    private long _position = -1;
    private bool _finished;
    private bool _disposed;

    public ClassificationCursor(SequenceClassificationTransformer transformer, ClassificationMap map, DataViewRowCursor input, bool[] active)
    {
        (_transformer, _map, _input, _active) = (transformer, map, input, active);
        _columns = [.. map.InputSchema.Select(column => active[column.Index] ? SlotBuffer.Create(input, column) : null)];
        _text = input.GetGetter<ReadOnlyMemory<char>>(map.Text);
        _id = input.GetIdGetter();
        _window = new ScoringWindow(transformer, _report);
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
            _report.Tell(_transformer);
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
            _report.Tell(_transformer);
            _input.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Slot() => _slot >= 0 ? _slot
        : throw new InvalidOperationException("The cursor stands on no row: call MoveNext first, and stop when it returns false.");

    private bool Fill()
    {
        _transformer.CheckAlive();
        SequenceClassificationSettings settings = _transformer.Settings;
        _windowRows = _windowRows == 0 ? Math.Min(settings.BatchSize, settings.LookAhead) : (int)Math.Min(2L * _windowRows, settings.LookAhead);
        _window.Clear();
        _slot = -1;
        for (long characters = 0; _window.Count < _windowRows && characters < MostCharacters && _input.MoveNext();)
        {
            int slot = _window.Count;
            if (slot == _ids.Length) Grow();
            foreach (SlotBuffer? column in _columns) column?.Fetch(slot);
            _batchNumbers[slot] = _input.Batch;
            _id(ref _ids[slot]);
            ReadOnlyMemory<char> text = default;
            _text(ref text);
            _window.Add(text);
            characters += text.Length;
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
