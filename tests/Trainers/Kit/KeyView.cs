using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Trainers.Tests;

/// <summary>A text column and a key column of any width with any raw values, also such as ML.NET's own loaders do not let through.</summary>
/// <param name="width">The raw type of the keys.</param>
/// <param name="count">How many keys the type promises.</param>
/// <param name="keys">The raw values; 0 is missing.</param>
internal sealed class KeyView(Type width, ulong count, ulong[] keys) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema { get; } = Build(width, count);

    public long? GetRowCount() => keys.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, keys);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private static DataViewSchema Build(Type width, ulong count)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Text", TextDataViewType.Instance);
        builder.AddColumn("Label", new KeyDataViewType(width, count));
        return builder.ToSchema();
    }

    private sealed class Cursor(KeyView view, ulong[] keys) : DataViewRowCursor
    {
        private int _position = -1;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => view.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override bool MoveNext() => ++_position < keys.Length;

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Delegate getter = true switch
            {
                _ when typeof(TValue) == typeof(ReadOnlyMemory<char>) => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = $"text {_position}".AsMemory()),
                _ when typeof(TValue) == typeof(byte) => (ValueGetter<byte>)((ref byte value) => value = (byte)keys[_position]),
                _ when typeof(TValue) == typeof(ushort) => (ValueGetter<ushort>)((ref ushort value) => value = (ushort)keys[_position]),
                _ when typeof(TValue) == typeof(uint) => (ValueGetter<uint>)((ref uint value) => value = (uint)keys[_position]),
                _ => (ValueGetter<ulong>)((ref ulong value) => value = keys[_position]),
            };
            return (ValueGetter<TValue>)getter;
        }
    }
}
