namespace MLComponents.Tokenization;

/// <summary>Values that come in turn, again and again.</summary>
internal sealed class CyclerValue(object?[] items)
{
    private static readonly Signature NoParameters = new("next", "");

    private int _position;

    public object? Attribute(string name) => name switch
    {
        "current" => items[_position] ?? Members.None,
        "pos" => (long)_position,
        "items" => new TupleValue(items),
        "next" => new FunctionValue("method", NoParameters, (_, _) => Next()),
        "reset" => new FunctionValue("method", NoParameters, (_, _) => Reset()),
        _ => null,
    };

    private object? Next()
    {
        object? current = items[_position];
        _position = (_position + 1) % items.Length;
        return current;
    }

    private object? Reset()
    {
        _position = 0;
        return null;
    }
}
