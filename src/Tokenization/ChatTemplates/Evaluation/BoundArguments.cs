namespace MLComponents.Tokenization;

/// <summary>The values of a function's parameters.</summary>
internal readonly struct BoundArguments(object?[] values)
{
    /// <summary>What stands for an optional argument that was not given.</summary>
    public static readonly object Missing = new();

    public object? this[int index] => values[index];

    public bool Has(int index) => !ReferenceEquals(values[index], Missing);

    /// <summary>A value, or a default.</summary>
    public object? Or(int index, object? missing) => Has(index) ? values[index] : missing;

    public bool Truth(int index, bool missing = false) => Has(index) ? ValueTypes.IsTrue(values[index]) : missing;

    /// <summary>A string, or null where None or nothing was given.</summary>
    public string? Text(int index) => Or(index, null) is not { } value ? null : ValueTypes.Text(value) ?? throw Fault.Type($"must be str or None, not {ValueTypes.Name(value)}");

    /// <summary>A string that must be there.</summary>
    public string RequiredText(int index) => ValueTypes.Text(values[index]) ?? throw Fault.Type($"must be str, not {ValueTypes.Name(values[index])}");

    public long Integer(int index, long missing = 0)
    {
        if (!Has(index)) return missing;
        if (Numbers.TryIndex(values[index], out long number)) return number;
        throw values[index] is UndefinedValue undefined ? undefined.Failure() : Fault.Type($"'{ValueTypes.Name(values[index])}' object cannot be interpreted as an integer");
    }

    public object?[] Rest(int index) => ((TupleValue)values[index]!).Items;

    public IReadOnlyList<KeyValuePair<string, object?>> Named(int index) => (List<KeyValuePair<string, object?>>)values[index]!;
}
