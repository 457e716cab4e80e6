using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The column of the texts that a model reads, and that of their second texts where it reads pairs.</summary>
/// <param name="Text">The texts.</param>
/// <param name="Pair">The second texts, or null.</param>
internal readonly record struct TextColumns(DataViewSchema.Column Text, DataViewSchema.Column? Pair)
{
    /// <summary>Looks the columns up.</summary>
    /// <param name="input">The schema.</param>
    /// <param name="text">The name of the text column.</param>
    /// <param name="pair">The name of the column of second texts, or null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public static TextColumns Find(DataViewSchema input, string text, string? pair) => new(
        ClassificationSchema.TextColumn(input, text), pair is null ? null : ClassificationSchema.TextColumn(input, pair, ClassificationSchema.PairColumn));

    /// <summary>The columns that are read.</summary>
    public IReadOnlyList<DataViewSchema.Column> All => Pair is { } pair ? [Text, pair] : [Text];

    /// <summary>What the log says of rows that were cut.</summary>
    public static string Truncated(long rows, long truncated, SequenceClassificationSettings settings, int maxLength)
    {
        string texts = settings.TextPairColumnName is { } pair ? $"pairs of texts of columns '{settings.TextColumnName}' and '{pair}'" : $"texts of column '{settings.TextColumnName}'";
        return $"{truncated} of {rows} {texts} had more than {maxLength} tokens and were cut (TruncationSide {settings.TruncationSide}). Raise MaxLength where the model's context allows it, or shorten values with FormatPrompt's limits.";
    }

    /// <summary>What reads the row that <paramref name="row"/> stands on; what it gives outlives the row.</summary>
    public Func<TextInput> Reader(DataViewRow row)
    {
        ValueGetter<ReadOnlyMemory<char>> text = row.GetGetter<ReadOnlyMemory<char>>(Text);
        ValueGetter<ReadOnlyMemory<char>>? pair = Pair is { } column ? row.GetGetter<ReadOnlyMemory<char>>(column) : null;
        // Two functions: within one, "pair is null ? null : ..." would be an empty text instead of null, and every text a pair.
        return pair is null ? () => new TextInput(Value(text)) : () => new TextInput(Value(text), Value(pair));
    }

    private static ReadOnlyMemory<char> Value(ValueGetter<ReadOnlyMemory<char>> getter)
    {
        ReadOnlyMemory<char> value = default;
        getter(ref value);
        return value;
    }
}
