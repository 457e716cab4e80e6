namespace MLComponents.Transforms;

/// <summary>A place in a template where a column's value goes.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Format">A .NET format string for its values, or null.</param>
internal sealed record PromptPlaceholder(string Column, string? Format)
{
    /// <summary>The placeholder as a user would write it.</summary>
    public override string ToString() => Format is null ? $"{{{Column}}}" : $"{{{Column}:{Format}}}";
}
