namespace MLComponents.Tokenization;

/// <summary>Taking a value apart into a number of others.</summary>
internal static class Unpacking
{
    public static object?[] Unpack(RenderContext context, object? value, int count)
    {
        if (!Sequences.IsIterable(value)) throw Fault.Type($"cannot unpack non-iterable {ValueTypes.Name(value)} object");
        var items = new List<object?>(count);
        foreach (object? item in Sequences.Iterate(value))
        {
            context.Step();
            if (items.Count == count) throw Fault.Value($"too many values to unpack (expected {count})");
            items.Add(item);
        }

        return items.Count == count ? [.. items] : throw Fault.Value($"not enough values to unpack (expected {count}, got {items.Count})");
    }
}
