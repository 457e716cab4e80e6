using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The values of one input column for the rows of a window. Each slot owns its vector's arrays, so that the source may reuse its own.</summary>
internal abstract class SlotBuffer
{
    /// <summary>Makes room for at least <paramref name="slots"/> rows.</summary>
    public abstract void Grow(int slots);

    /// <summary>Reads the value of the row that the input stands on into a slot.</summary>
    public abstract void Fetch(int slot);

    /// <summary>A getter that serves the slot that <paramref name="current"/> names.</summary>
    public abstract Delegate Getter(Func<int> current);

    /// <summary>A buffer that reads <paramref name="column"/> of <paramref name="row"/>.</summary>
    public static SlotBuffer Create(DataViewRow row, DataViewSchema.Column column)
    {
        Type raw = column.Type.RawType;
        bool vector = column.Type is VectorDataViewType && raw.IsGenericType && raw.GetGenericTypeDefinition() == typeof(VBuffer<>);
        Type buffer = vector
            ? typeof(VectorSlots<>).MakeGenericType(raw.GetGenericArguments())
            : typeof(ScalarSlots<>).MakeGenericType(raw);
        return (SlotBuffer)Activator.CreateInstance(buffer, row, column)!;
    }

    private sealed class ScalarSlots<TValue>(DataViewRow row, DataViewSchema.Column column) : SlotBuffer
    {
        private readonly ValueGetter<TValue> _source = row.GetGetter<TValue>(column);
        private TValue[] _values = [];

        public override void Grow(int slots) => Array.Resize(ref _values, slots);

        public override void Fetch(int slot)
        {
            // A source that reuses the object it is given (an image, say) would change one that a caller still holds.
            if (RuntimeHelpers.IsReferenceOrContainsReferences<TValue>()) _values[slot] = default!;
            _source(ref _values[slot]);
        }

        public override Delegate Getter(Func<int> current) => (ValueGetter<TValue>)((ref TValue value) => value = _values[current()]);
    }

    private sealed class VectorSlots<TItem>(DataViewRow row, DataViewSchema.Column column) : SlotBuffer
    {
        private readonly ValueGetter<VBuffer<TItem>> _source = row.GetGetter<VBuffer<TItem>>(column);
        private VBuffer<TItem>[] _values = [];

        public override void Grow(int slots) => Array.Resize(ref _values, slots);

        public override void Fetch(int slot) => _source(ref _values[slot]);

        public override Delegate Getter(Func<int> current) =>
            (ValueGetter<VBuffer<TItem>>)((ref VBuffer<TItem> value) => _values[current()].CopyTo(ref value));
    }
}
