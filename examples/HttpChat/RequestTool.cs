using System.Text.Json;
using Microsoft.Extensions.AI;

namespace HttpChat;

/// <summary>A function that the model may call.</summary>
internal sealed record RequestTool(string Type, RequestTool.Declaration Function)
{
    private static readonly JsonElement s_none = JsonElement.Parse("""{"type":"object","properties":{}}""");

    public AITool ToTool() => Type == "function"
        ? AIFunctionFactory.CreateDeclaration(Function.Name, Function.Description, Function.Parameters ?? s_none)
        : throw new NotSupportedException($"There is a tool of the type '{Type}'; expected functions.");

    internal sealed record Declaration(string Name, string? Description = null, JsonElement? Parameters = null);
}
