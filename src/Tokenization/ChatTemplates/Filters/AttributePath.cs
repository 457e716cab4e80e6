namespace MLComponents.Tokenization;

/// <summary>An attribute as filters name it: parts joined by dots, whole numbers being indexes.</summary>
internal sealed class AttributePath
{
    private readonly object?[] _parts;

    private AttributePath(object?[] parts) => _parts = parts;

    public static AttributePath Parse(object? attribute) => new(attribute switch
    {
        null => [],
        _ when ValueTypes.Text(attribute) is { } text => [.. text.Split('.').Select(part => part.Length > 0 && part.All(char.IsAsciiDigit) && long.TryParse(part, out long index) ? (object)index : part)],
        _ => [attribute],
    });

    /// <summary>What gets the attribute of an item, or a default where some part of the way there is undefined.</summary>
    public Func<object?, object?> Get(RenderContext context, object? missing = null) => item =>
    {
        foreach (object? part in _parts)
        {
            item = Members.Item(context, item, part);
            if (missing is not null && item is UndefinedValue) item = missing;
        }

        return item;
    };
}
