namespace MLComponents.Transforms;

/// <summary>The error for a schema that a component cannot work on: the type that ML.NET's own components throw.</summary>
internal static class SchemaMismatch
{
    public static ArgumentOutOfRangeException Error(string message, string parameter = "inputSchema") => new(parameter, message);
}
