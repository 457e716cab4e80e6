using System.Collections.Concurrent;
using System.Text.Json;
using MLComponents.Tokenization;
using Microsoft.Extensions.AI;

namespace MLComponents.Models;

/// <summary>What replies are held to, by their schemas; each is compiled once. Any number of threads may use it.</summary>
/// <param name="tokenizer">The tokenizer of the model.</param>
internal sealed class ReplyConstraints(PretrainedTokenizer tokenizer)
{
    private const int MostKept = 32;

    private readonly ConcurrentDictionary<string, OutputConstraint> _compiled = new(StringComparer.Ordinal);

    /// <summary>JSON of a schema, or a call of a function as JSON.</summary>
    /// <param name="schema">The schema, or null if the reply must be a call.</param>
    /// <param name="functions">The functions that may be called.</param>
    public OutputConstraint Of(JsonElement? schema, IReadOnlyList<AIFunctionDeclaration> functions)
    {
        string key = string.Join('\n', [schema?.GetRawText() ?? "", .. functions.Select(static function => $"{function.Name}\n{function.JsonSchema.GetRawText()}")]);
        if (_compiled.TryGetValue(key, out OutputConstraint? known)) return known;
        if (_compiled.Count >= MostKept) _compiled.Clear();
        List<TextPiece> pieces = [];
        if (schema is { } own) pieces.Add(JsonSchemaReader.Read(own));
        foreach (AIFunctionDeclaration function in functions)
        {
            string name = JsonSerializer.Serialize(function.Name);
            pieces.Add(TextPiece.Of($"{{\"name\":{name},\"arguments\":", JsonSchemaReader.Read(function.JsonSchema), "}"));
        }

        return _compiled[key] = OutputConstraint.Of(TextPiece.Any(pieces), tokenizer);
    }
}
