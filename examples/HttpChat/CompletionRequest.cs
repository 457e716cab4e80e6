using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace HttpChat;

/// <summary>The body of a request, under OpenAI's names.</summary>
internal sealed record CompletionRequest
{
    /// <summary>What says who asks or how the answer is stored; it changes no answer.</summary>
    private static readonly string[] s_bookkeeping = ["user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key"];

    public string? Model { get; init; }

    public required IReadOnlyList<RequestMessage> Messages { get; init; }

    public bool Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? MaxTokens { get; init; }

    public int? MaxCompletionTokens { get; init; }

    public JsonElement? Stop { get; init; }

    public long? Seed { get; init; }

    public float? FrequencyPenalty { get; init; }

    public float? PresencePenalty { get; init; }

    public int? N { get; init; }

    public bool? Logprobs { get; init; }

    public JsonElement? ResponseFormat { get; init; }

    public IReadOnlyList<RequestTool>? Tools { get; init; }

    public JsonElement? ToolChoice { get; init; }

    public bool? ParallelToolCalls { get; init; }

    /// <summary>Everything else: what a generation_config.json knows, such as min_p, is followed, all else refused.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; init; }

    /// <summary>The messages as the client takes them.</summary>
    public IEnumerable<ChatMessage> ToMessages() => Messages.Select(static message => message?.ToMessage() ?? throw new ArgumentException("A message is null."));

    /// <summary>The options as the client takes them.</summary>
    public ChatOptions ToOptions()
    {
        if (N is not (null or 1)) throw new NotSupportedException($"n is {N}; expected 1: ask once for each reply.");
        if (Logprobs == true) throw new NotSupportedException("logprobs is true; this server gives none.");
        return new ChatOptions
        {
            Temperature = Temperature,
            TopP = TopP,
            MaxOutputTokens = MaxCompletionTokens ?? MaxTokens,
            StopSequences = Stop switch
            {
                null or { ValueKind: JsonValueKind.Null } => null,
                { ValueKind: JsonValueKind.String } one => [one.GetString()!],
                { } several => several.Deserialize<List<string>>(),
            },
            Seed = Seed,
            FrequencyPenalty = FrequencyPenalty,
            PresencePenalty = PresencePenalty,
            ResponseFormat = Format(),
            Tools = Tools is { Count: > 0 } tools ? [.. tools.Select(static tool => tool?.ToTool() ?? throw new ArgumentException("A tool is null."))] : null,
            ToolMode = Mode(),
            AllowMultipleToolCalls = ParallelToolCalls,
            AdditionalProperties = Others?.Where(static pair => !s_bookkeeping.Contains(pair.Key)).Select(static pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)).ToList() is { Count: > 0 } others
                ? new AdditionalPropertiesDictionary(others)
                : null,
        };
    }

    private ChatResponseFormat? Format()
    {
        if (ResponseFormat is not { ValueKind: JsonValueKind.Object } format) return null;
        return Text(format, "type") switch
        {
            "text" => ChatResponseFormat.Text,
            "json_object" => ChatResponseFormat.Json,
            "json_schema" when format.TryGetProperty("json_schema", out JsonElement named) && named.TryGetProperty("schema", out JsonElement schema) => ChatResponseFormat.ForJsonSchema(schema),
            var type => throw new ArgumentException($"response_format has the type '{type}'; expected text, or json_schema with a schema."),
        };
    }

    private ChatToolMode? Mode()
    {
        switch (ToolChoice)
        {
            case null or { ValueKind: JsonValueKind.Null }:
                return null;
            case { ValueKind: JsonValueKind.Object } choice when choice.TryGetProperty("function", out JsonElement function) && Text(function, "name") is { } name:
                return ChatToolMode.RequireSpecific(name);
            default:
                string? text = ToolChoice.Value.ValueKind == JsonValueKind.String ? ToolChoice.Value.GetString() : null;
                return text switch
                {
                    "none" => ChatToolMode.None,
                    "auto" => ChatToolMode.Auto,
                    "required" => ChatToolMode.RequireAny,
                    _ => throw new ArgumentException($"tool_choice is {ToolChoice}; expected none, auto, required, or a function by its name."),
                };
        }
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
