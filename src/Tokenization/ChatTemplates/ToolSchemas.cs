using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace MLComponents.Tokenization;

/// <summary>Tools of Microsoft.Extensions.AI as the JSON schemas that chat templates read.</summary>
public static class ToolSchemas
{
    /// <summary>Makes schemas of tools: the name, description and parameters of every function.</summary>
    /// <param name="tools">The tools, which must be functions.</param>
    /// <returns>For <see cref="ChatTemplateOptions.Tools"/>.</returns>
    /// <exception cref="ArgumentException">A tool is no function.</exception>
    public static JsonArray From(IEnumerable<AITool> tools)
    {
        ArgumentNullException.ThrowIfNull(tools);
        var schemas = new JsonArray();
        foreach (AITool tool in tools)
        {
            if (tool is not AIFunctionDeclaration function)
                throw new ArgumentException($"The tool {tool.Name} is a {tool.GetType().Name}; chat templates know functions only.", nameof(tools));
            schemas.Add((JsonNode)new JsonObject
            {
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = function.Name, ["description"] = function.Description, ["parameters"] = JsonNode.Parse(function.JsonSchema.GetRawText()) },
            });
        }

        return schemas;
    }
}
