using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>Getters of vector columns.</summary>
internal static class VectorGetter
{
    /// <summary>A getter that serves an array.</summary>
    public static ValueGetter<VBuffer<T>> Of<T>(Func<T[]> values) => (ref VBuffer<T> value) =>
    {
        T[] items = values();
        VBufferEditor<T> editor = VBufferEditor.Create(ref value, items.Length);
        items.CopyTo(editor.Values);
        value = editor.Commit();
    };
}
