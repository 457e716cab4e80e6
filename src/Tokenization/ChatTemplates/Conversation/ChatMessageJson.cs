using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace MLComponents.Tokenization;

/// <summary>Messages of Microsoft.Extensions.AI in the form that chat templates read.</summary>
internal static class ChatMessageJson
{
    public static JsonArray Convert(IEnumerable<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var converted = new JsonArray();
        var functions = new Dictionary<string, string>(StringComparer.Ordinal); // names by the id of the call
        foreach (ChatMessage message in messages)
        {
            foreach (FunctionCallContent call in message.Contents.OfType<FunctionCallContent>()) functions[call.CallId] = call.Name;
            FunctionResultContent[] results = [.. message.Contents.OfType<FunctionResultContent>()];
            if (results.Length < message.Contents.Count || results.Length == 0) converted.Add((JsonNode)Message(message));
            foreach (FunctionResultContent result in results)
            {
                var tool = new JsonObject { ["role"] = "tool", ["content"] = result.Result is string text ? text : Value(result.Result)?.ToJsonString(Plain) ?? "null", ["tool_call_id"] = result.CallId };
                if (functions.TryGetValue(result.CallId, out string? name)) tool["name"] = name;
                converted.Add((JsonNode)tool);
            }
        }

        return converted;
    }

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonObject Message(ChatMessage message)
    {
        var converted = new JsonObject { ["role"] = message.Role.Value };
        var parts = new JsonArray();
        var calls = new JsonArray();
        string reasoning = "";
        bool onlyText = true;
        foreach (AIContent content in message.Contents)
        {
            switch (content)
            {
                case TextContent text:
                    parts.Add((JsonNode)new JsonObject { ["type"] = "text", ["text"] = text.Text });
                    break;
                case TextReasoningContent thought:
                    reasoning += thought.Text;
                    break;
                case FunctionCallContent call:
                    var arguments = new JsonObject();
                    foreach ((string name, object? value) in call.Arguments ?? new Dictionary<string, object?>()) arguments[name] = Value(value);
                    calls.Add((JsonNode)new JsonObject { ["type"] = "function", ["id"] = call.CallId, ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = arguments } });
                    break;
                case FunctionResultContent or UsageContent:
                    break;
                case DataContent data:
                    parts.Add((JsonNode)Media(data.MediaType, data.Uri));
                    onlyText = false;
                    break;
                case UriContent uri:
                    parts.Add((JsonNode)Media(uri.MediaType, uri.Uri.ToString()));
                    onlyText = false;
                    break;
                default:
                    throw new ArgumentException($"A {message.Role} message has a {content.GetType().Name}, which chat templates have no form for; text, reasoning, function calls, function results, images, audio and video do.", nameof(message));
            }
        }

        if (onlyText && (parts.Count > 0 || calls.Count == 0)) converted["content"] = string.Concat(parts.Select(part => (string)part!["text"]!));
        else if (!onlyText) converted["content"] = parts;
        if (reasoning.Length > 0) converted["reasoning_content"] = reasoning;
        if (calls.Count > 0) converted["tool_calls"] = calls;
        if (message.AuthorName is { } author) converted["name"] = author;
        return converted;
    }

    private static JsonObject Media(string type, string uri)
    {
        string kind = type.Split('/')[0];
        return kind is "image" or "audio" or "video"
            ? new JsonObject { ["type"] = kind, ["url"] = uri }
            : throw new ArgumentException($"A message has content of the media type {type}; chat templates have forms for images, audio and video.");
    }

    // A closed set of types, so that no code of other types runs.
    private static JsonNode? Value(object? value) => value switch
    {
        null => null,
        JsonNode node => node.DeepClone(),
        JsonElement element => JsonNode.Parse(element.GetRawText()),
        JsonDocument document => JsonNode.Parse(document.RootElement.GetRawText()),
        string text => JsonValue.Create(text),
        bool truth => JsonValue.Create(truth),
        int or long or short or byte or uint or ulong or ushort or sbyte => JsonNode.Parse(System.Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!),
        double number => JsonValue.Create(number),
        float number => JsonValue.Create((double)number),
        decimal number => JsonValue.Create(number),
        IEnumerable<KeyValuePair<string, object?>> pairs => new JsonObject(pairs.Select(pair => KeyValuePair.Create(pair.Key, Value(pair.Value)))),
        IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(Value)]),
        _ => throw new ArgumentException($"A function call or result holds a {value.GetType()}; it can hold texts, numbers, truth values, lists, dictionaries with string keys, and JSON."),
    };
}
