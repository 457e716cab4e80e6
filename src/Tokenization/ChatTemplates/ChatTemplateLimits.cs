namespace MLComponents.Tokenization;

/// <summary>How much work a template may do; a template that wants more fails with <see cref="ChatTemplateErrorKind.Limit"/>.</summary>
public sealed record ChatTemplateLimits
{
    /// <summary>The most steps: expressions evaluated, items visited. At least 1; the default is 50 million.</summary>
    public long MaxSteps { get; init; } = 50_000_000;

    /// <summary>The most characters (UTF-16 units) of the rendered text, and of any text on the way there. At least 1; the default is 16 million.</summary>
    public int MaxOutputLength { get; init; } = 1 << 24;

    /// <summary>
    /// The most characters and list items that all values together may have that the template makes, whether it keeps them or not. This
    /// bounds memory. At least 1; the default is 512 million.
    /// </summary>
    public long MaxCreated { get; init; } = 1L << 29;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSteps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOutputLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxCreated, 1);
    }
}
