using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Testing;

/// <summary>
/// What ML.NET's own tests ask of every estimator: bad schemas fail everywhere, a saved and loaded transformer is the same one,
/// and what was promised before training is what is delivered after it.
/// </summary>
internal static class EstimatorContract
{
    public static void Check(MLContext ml, IEstimator<ITransformer> estimator, IDataView valid, params IDataView[] invalid)
    {
        SchemaShape promised = estimator.GetOutputSchema(MLNetInterop.ShapeOf(valid.Schema));
        foreach (IDataView bad in invalid)
        {
            MustFail(() => estimator.GetOutputSchema(MLNetInterop.ShapeOf(bad.Schema)));
            MustFail(() => estimator.Fit(bad));
        }

        ITransformer transformer = estimator.Fit(valid);
        CheckShapes(promised, MLNetInterop.ShapeOf(transformer.GetOutputSchema(valid.Schema)));
        CheckTransformer(ml, transformer, valid, invalid);
    }

    /// <summary>The part of the checks that needs no estimator.</summary>
    public static void CheckTransformer(MLContext ml, ITransformer transformer, IDataView valid, params IDataView[] invalid)
    {
        ITransformer loaded = Reload(ml, transformer, valid.Schema);
        DataViewSchema schema = transformer.GetOutputSchema(valid.Schema);
        CheckSchemas(schema, loaded.GetOutputSchema(valid.Schema));
        IDataView scored = transformer.Transform(valid), scoredByLoaded = loaded.Transform(valid);
        CheckSchemas(schema, scored.Schema);
        CheckSchemas(schema, scoredByLoaded.Schema);
        CheckValues(scored, scoredByLoaded);

        Assert.True(transformer.IsRowToRowMapper);
        IRowToRowMapper mapper = transformer.GetRowToRowMapper(valid.Schema);
        Assert.Same(valid.Schema, mapper.InputSchema);
        CheckSchemas(schema, mapper.OutputSchema);
        CheckRows(valid, mapper, scored);

        foreach (IDataView bad in invalid)
            foreach (ITransformer one in new[] { transformer, loaded })
            {
                MustFail(() => one.GetOutputSchema(bad.Schema));
                MustFail(() => one.Transform(bad));
                MustFail(() => one.GetRowToRowMapper(bad.Schema));
            }
        (loaded as IDisposable)?.Dispose();
    }

    public static ITransformer Reload(MLContext ml, ITransformer transformer, DataViewSchema schema)
    {
        using var file = new MemoryStream();
        ml.Model.Save(transformer, schema, file);
        file.Position = 0;
        return ml.Model.Load(file, out _);
    }

    /// <summary>Promise and delivery must be compatible both ways.</summary>
    public static void CheckShapes(SchemaShape promised, SchemaShape delivered)
    {
        Assert.Equal(promised.Select(column => column.Name).Order(), delivered.Select(column => column.Name).Order());
        foreach ((SchemaShape.Column promise, SchemaShape.Column delivery) in promised.OrderBy(column => column.Name).Zip(delivered.OrderBy(column => column.Name)))
        {
            Assert.Equal(Describe(promise), Describe(delivery));
            Assert.Equal(promise.Annotations.Select(Describe).Order(), delivery.Annotations.Select(Describe).Order());
        }

        static string Describe(SchemaShape.Column column) => $"{column.Name}: {PromptColumns.Describe(column)}";
    }

    public static void CheckSchemas(DataViewSchema expected, DataViewSchema found)
    {
        Assert.Equal(expected.Select(Describe), found.Select(Describe));
        foreach ((DataViewSchema.Column one, DataViewSchema.Column other) in expected.Zip(found))
        {
            Assert.Equal(one.Annotations.Schema.Select(Describe), other.Annotations.Schema.Select(Describe));
            foreach (DataViewSchema.Column annotation in one.Annotations.Schema)
                Assert.Equal(Read(one.Annotations, annotation), Read(other.Annotations, annotation));
        }

        static string Describe(DataViewSchema.Column column) => $"{column.Index} {column.Name}: {column.Type}, hidden {column.IsHidden}";
    }

    public static void CheckValues(IDataView expected, IDataView found)
    {
        foreach (DataViewSchema.Column column in expected.Schema)
            Assert.Equal(Values(expected, column.Index), Values(found, column.Index));
    }

    /// <summary>All values of a column, vectors as arrays, text as strings.</summary>
    public static List<object> Values(IDataView view, int columnIndex)
    {
        DataViewSchema.Column column = view.Schema[columnIndex];
        using DataViewRowCursor cursor = view.GetRowCursor([column]);
        Func<object> read = Reader(cursor, column);
        var values = new List<object>();
        while (cursor.MoveNext()) values.Add(read());
        return values;
    }

    public static List<object> Values(IDataView view, string column) => Values(view, view.Schema[column].Index);

    private static void CheckRows(IDataView valid, IRowToRowMapper mapper, IDataView scored)
    {
        List<object>[] expected = [.. scored.Schema.Select(column => Values(scored, column.Index))];
        using DataViewRowCursor cursor = valid.GetRowCursor(mapper.GetDependencies(mapper.OutputSchema));
        using DataViewRow row = mapper.GetRow(cursor, mapper.OutputSchema);
        Func<object>[] readers = [.. mapper.OutputSchema.Select(column => Reader(row, column))];
        for (int i = 0; cursor.MoveNext(); i++)
            for (int column = 0; column < readers.Length; column++) AssertClose(expected[column][i], readers[column]());
    }

    /// <summary>A row scored alone need not have the last bit of the same row scored in a batch.</summary>
    private static void AssertClose(object expected, object found)
    {
        if (expected is float number)
        {
            Assert.Equal(number, Assert.IsType<float>(found), 1e-4f * (float.IsFinite(number) ? Math.Max(1, Math.Abs(number)) : 1));
        }
        else if (expected is float[] numbers)
        {
            float[] others = Assert.IsType<float[]>(found);
            Assert.Equal(numbers.Length, others.Length);
            for (int i = 0; i < numbers.Length; i++) Assert.Equal(numbers[i], others[i], 1e-4f);
        }
        else
        {
            Assert.Equal(expected, found);
        }
    }

    private static void MustFail(Action action)
    {
        Exception? error = Record.Exception(action);
        Assert.True(error is ArgumentOutOfRangeException or InvalidOperationException, $"expected a schema error, got {error?.ToString() ?? "none"}");
    }

    private static object Read(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation) =>
        Generic(nameof(ReadAnnotation), annotation.Type, annotations, annotation.Name);

    private static Func<object> Reader(DataViewRow row, DataViewSchema.Column column) =>
        (Func<object>)Generic(nameof(ReadRow), column.Type, row, column);

    private static object Generic(string name, DataViewType type, params object[] arguments) =>
        typeof(EstimatorContract).GetMethod(name, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(type.RawType).Invoke(null, arguments)!;

    private static object ReadAnnotation<TValue>(DataViewSchema.Annotations annotations, string name)
    {
        TValue value = default!;
        annotations.GetValue(name, ref value);
        return Plain(value!);
    }

    private static Func<object> ReadRow<TValue>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<TValue> getter = row.GetGetter<TValue>(column);
        return () =>
        {
            TValue value = default!;
            getter(ref value);
            return Plain(value!);
        };
    }

    private static object Plain(object value) => value switch
    {
        ReadOnlyMemory<char> text => text.ToString(),
        _ when value.GetType().IsGenericType && value.GetType().GetGenericTypeDefinition() == typeof(VBuffer<>) =>
            typeof(EstimatorContract).GetMethod(nameof(Dense), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
                .MakeGenericMethod(value.GetType().GetGenericArguments()).Invoke(null, [value])!,
        _ => value,
    };

    private static object Dense<TItem>(VBuffer<TItem> vector) => vector.DenseValues().Select(item => item is ReadOnlyMemory<char> text ? (object)text.ToString() : item!).ToArray() is var items
        && typeof(TItem) == typeof(float) ? Array.ConvertAll(items, item => (float)item) : items;
}
