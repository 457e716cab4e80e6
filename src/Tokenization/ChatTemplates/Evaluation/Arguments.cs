namespace MLComponents.Tokenization;

/// <summary>The arguments of a call.</summary>
internal sealed record Arguments(object?[] Positional, IReadOnlyList<KeyValuePair<string, object?>> Named)
{
    public static readonly Arguments None = new([], []);

    /// <summary>With a value before the others.</summary>
    public Arguments After(object? first) => this with { Positional = [first, .. Positional] };
}
