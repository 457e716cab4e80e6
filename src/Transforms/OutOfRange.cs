namespace MLComponents.Transforms;

/// <summary>The type of error that ML.NET's own components throw for a schema they cannot work on, and that .NET throws for an option out of its range.</summary>
internal static class OutOfRange
{
    public static ArgumentOutOfRangeException Error(string message, string parameter = "inputSchema") => new(parameter, message);
}
