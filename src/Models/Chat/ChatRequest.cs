using System.Text.Json;
using System.Text.Json.Nodes;
using MLComponents.Tokenization;
using Microsoft.Extensions.AI;

namespace MLComponents.Models;

/// <summary>A request as what generation is given. What cannot be done is refused here, and nothing that was asked for is left out.</summary>
internal sealed record ChatRequest
{
    private const string TemplateArguments = "chat_template_kwargs";

    /// <summary>The tokens of the conversation.</summary>
    public required int[] PromptIds { get; init; }

    /// <summary>How text is generated.</summary>
    public required GenerationConfig Generation { get; init; }

    /// <summary>What the reply is held to, or null.</summary>
    public required OutputConstraint? Constraint { get; init; }

    /// <summary>What changes scores beside the configuration.</summary>
    public required IReadOnlyList<LogitsProcessor> Processors { get; init; }

    /// <summary>The names of the functions that may be called; null for none.</summary>
    public required IReadOnlySet<string>? Functions { get; init; }

    /// <summary>Whether the reply begins within a thought, which the chat template has opened.</summary>
    public required bool IsThinking { get; init; }

    /// <summary>Whether what the model thought is given.</summary>
    public required bool GivesThoughts { get; init; }

    /// <summary>Whether the reply ends with its first call.</summary>
    public required bool HasOneCallAtMost { get; init; }

    /// <summary>Works out what a request comes down to.</summary>
    /// <exception cref="ArgumentException">It contradicts itself, the model or the chat template.</exception>
    /// <exception cref="NotSupportedException">It asks for what is not supported.</exception>
    public static ChatRequest Of(IEnumerable<ChatMessage> messages, ChatOptions? options, LanguageModelChatClient client, ReplyConstraints constraints)
    {
        options ??= new ChatOptions();
        Check(options, client.ModelId);
        AIFunctionDeclaration[] functions = FunctionsOf(options);
        EncodedChat chat = Encode(MessagesOf(messages, options.Instructions), functions, options, client);
        OutputConstraint? constraint = ConstraintOf(options, functions, constraints);
        return new ChatRequest
        {
            PromptIds = [.. chat.Ids],
            Generation = GenerationOf(options, client, chat.Ids.Count),
            Constraint = constraint,
            Processors = options is { FrequencyPenalty: null or 0, PresencePenalty: null or 0 } ? [] : [new TokenPenaltyProcessor(options.FrequencyPenalty ?? 0, options.PresencePenalty ?? 0)],
            Functions = functions.Length > 0 ? functions.Select(static function => function.Name).ToHashSet(StringComparer.Ordinal) : null,
            IsThinking = constraint is null && chat.Text.AsSpan().TrimEnd().EndsWith(ReplyReader.Thinking, StringComparison.Ordinal),
            GivesThoughts = options.Reasoning?.Output is not ReasoningOutput.None,
            HasOneCallAtMost = options.AllowMultipleToolCalls == false,
        };
    }

    private static void Check(ChatOptions options, string modelId)
    {
        if (options.ModelId is { } asked && asked != modelId)
            throw new ArgumentException($"The request is for the model '{asked}'; this client has '{modelId}'. Leave ModelId out, or ask a client of that model.", nameof(options));
        if (options.ConversationId is not null)
            throw new NotSupportedException("This client keeps no conversations under an id; leave ConversationId out and give all messages. What the model has read already is not read again.");
        if (options.ContinuationToken is not null) throw new NotSupportedException("Replies cannot be taken up again; leave ContinuationToken out.");
        if (options.Reasoning is { Effort: not null })
            throw new NotSupportedException($"How much a model reasons is a matter of its chat template; set its variables, such as enable_thinking, under '{TemplateArguments}' in AdditionalProperties, and leave Reasoning.Effort out.");
        if (options.Reasoning is { Output: ReasoningOutput.Summary })
            throw new NotSupportedException("Nobody sums up what the model reasons here; ask for Reasoning.Output Full or None.");
        if (options.ResponseFormat is ChatResponseFormatJson { Schema: null })
            throw new NotSupportedException("JSON of any form is not supported; give a schema: ChatResponseFormat.ForJsonSchema.");
    }

    private static AIFunctionDeclaration[] FunctionsOf(ChatOptions options)
    {
        if (options.ToolMode is NoneChatToolMode || options.Tools is not { Count: > 0 } tools)
        {
            return options.ToolMode is RequiredChatToolMode
                ? throw new ArgumentException("ToolMode requires a call, but there are no tools.", nameof(options))
                : [];
        }

        AIFunctionDeclaration[] functions = [.. tools.Select(static tool => tool as AIFunctionDeclaration
            ?? throw new NotSupportedException($"The tool {tool.Name} is a {tool.GetType().Name}; language models here call functions only."))];
        if (options.ToolMode is RequiredChatToolMode { RequiredFunctionName: { } required } && !functions.Any(function => function.Name == required))
            throw new ArgumentException($"ToolMode requires a call of '{required}'; the tools are {string.Join(", ", functions.Select(static function => function.Name))}.", nameof(options));
        return functions;
    }

    private static List<ChatMessage> MessagesOf(IEnumerable<ChatMessage> messages, string? instructions)
    {
        List<ChatMessage> all = [.. messages];
        if (all.Count == 0 && instructions is null) throw new ArgumentException("There are no messages; expected at least one.", nameof(messages));
        foreach (ChatMessage message in all)
        {
            if (message is null) throw new ArgumentException("A message is null.", nameof(messages));
            if (message.Contents.FirstOrDefault(static content => content is DataContent or UriContent) is { } media)
                throw new NotSupportedException($"A {message.Role} message holds a {media.GetType().Name}; language models here read text only.");
        }

        if (string.IsNullOrEmpty(instructions)) return all;

        // One system message: many templates have no place for a second one.
        bool hasSystem = all.Count > 0 && all[0].Role == ChatRole.System;
        string text = hasSystem ? $"{instructions}\n{all[0].Text}" : instructions;
        return [new ChatMessage(ChatRole.System, text), .. all.Skip(hasSystem ? 1 : 0)];
    }

    private static EncodedChat Encode(List<ChatMessage> messages, AIFunctionDeclaration[] functions, ChatOptions options, LanguageModelChatClient client)
    {
        var template = new ChatTemplateOptions
        {
            AddGenerationPrompt = true,
            TemplateName = client.Settings.TemplateName,
            Variables = VariablesOf(options, client.Settings),
            Tools = functions.Length > 0 ? ToolSchemas.From(functions) : null,
        };
        EncodedChat chat = client.Tokenizer.EncodeChat(messages, template);
        if (functions.Length > 0 && client.Tokenizer.ApplyChatTemplate(messages, template with { Tools = [] }) == chat.Text)
            throw new NotSupportedException("The chat template does not read tools, so the model would not know of them; leave Tools out, or choose another template by TemplateName.");
        return chat;
    }

    private static Dictionary<string, JsonNode?> VariablesOf(ChatOptions options, ChatClientSettings settings)
    {
        var variables = new Dictionary<string, JsonNode?>(settings.TemplateVariables ?? new Dictionary<string, JsonNode?>());
        if (options.AdditionalProperties?.TryGetValue(TemplateArguments, out object? given) != true || given is null) return variables;
        if (JsonSerializer.SerializeToNode(given, AIJsonUtilities.DefaultOptions) is not JsonObject members)
            throw new ArgumentException($"'{TemplateArguments}' in AdditionalProperties is a {given.GetType().Name}; expected variables of the chat template by their names.", nameof(options));
        foreach ((string name, JsonNode? value) in members) variables[name] = value?.DeepClone();
        return variables;
    }

    private static OutputConstraint? ConstraintOf(ChatOptions options, AIFunctionDeclaration[] functions, ReplyConstraints constraints)
    {
        if (options.ToolMode is RequiredChatToolMode mode && functions.Length > 0)
            return constraints.Of(null, mode.RequiredFunctionName is { } name ? [functions.First(function => function.Name == name)] : functions);
        return options.ResponseFormat is ChatResponseFormatJson { Schema: { } schema } ? constraints.Of(schema, functions) : null;
    }

    private static GenerationConfig GenerationOf(ChatOptions options, LanguageModelChatClient client, int promptLength)
    {
        GenerationConfig defaults = client.Model.GenerationDefaults;
        GenerationConfig config = FromOptions(options).Over(FromProperties(options)).Over(FromFactory(options, client)).Over(client.Settings.Generation ?? new GenerationConfig());

        // Who sets what belongs to sampling means to sample.
        if (options is { Temperature: null } and ({ TopP: not null } or { TopK: not null })) config = config with { DoSample = true };
        if (options.StopSequences is { Count: > 0 } stops) config = config with { StopStrings = [.. (config.StopStrings ?? defaults.StopStrings ?? []).Union(stops, StringComparer.Ordinal)] };

        // A model that was tuned for conversations ends its turn by the end of its tokenizer, whether its generation configuration says so or not.
        if (config.EosTokenIds is null && client.Tokenizer.EosTokenId is { } end) config = config with { EosTokenIds = [.. (defaults.EosTokenIds ?? []).Union([end])] };

        int most = client.Model.Config.MaxPositions;
        int? newTokens = config.MaxNewTokens ?? defaults.MaxNewTokens;
        if (newTokens is null) most = Math.Min(most, config.MaxLength ?? defaults.MaxLength ?? most);
        int room = most - promptLength;
        if (room < 1) throw new ArgumentException($"The conversation has {promptLength} tokens of at most {most}, so there is no room for a reply. Leave earlier messages out.", nameof(options));
        return config with { MaxNewTokens = Math.Min(newTokens ?? room, room), MaxLength = null };
    }

    private static GenerationConfig FromOptions(ChatOptions options) => new()
    {
        DoSample = options.Temperature is { } temperature ? temperature > 0 : null,
        Temperature = options.Temperature is > 0 ? options.Temperature : options.Temperature < 0 ? throw OutOfRange(nameof(options.Temperature), options.Temperature, "0 or more") : null,
        TopP = options.TopP is null or (>= 0 and <= 1) ? options.TopP : throw OutOfRange(nameof(options.TopP), options.TopP, "from 0 to 1"),
        TopK = options.TopK is null or >= 0 ? options.TopK : throw OutOfRange(nameof(options.TopK), options.TopK, "0, for all tokens, or more"),
        MaxNewTokens = options.MaxOutputTokens is null or >= 1 ? options.MaxOutputTokens : throw OutOfRange(nameof(options.MaxOutputTokens), options.MaxOutputTokens, "1 or more"),
        Seed = options.Seed,
    };

    private static ArgumentOutOfRangeException OutOfRange(string name, object? value, string expected) => new(name, value, $"Expected {expected}.");

    /// <summary>What else a request says, by the names that a <c>generation_config.json</c> has for it.</summary>
    private static GenerationConfig FromProperties(ChatOptions options)
    {
        if (options.AdditionalProperties is not { Count: > 0 } properties) return new GenerationConfig();
        var named = new JsonObject(properties.Where(static pair => pair.Key != TemplateArguments)
            .Select(static pair => KeyValuePair.Create(pair.Key, JsonSerializer.SerializeToNode(pair.Value, AIJsonUtilities.DefaultOptions))));
        GenerationConfig config = GenerationConfig.Parse(JsonSerializer.SerializeToUtf8Bytes(named), nameof(ChatOptions.AdditionalProperties));
        if (config.OtherKeys.Count > 0)
        {
            throw new ArgumentException(
                $"AdditionalProperties holds {string.Join(", ", config.OtherKeys.Select(static pair => $"'{pair.Key}'"))}, which mean nothing here; expected keys of a generation_config.json, or '{TemplateArguments}'.",
                nameof(options));
        }

        return config;
    }

    private static GenerationConfig FromFactory(ChatOptions options, LanguageModelChatClient client) => options.RawRepresentationFactory?.Invoke(client) switch
    {
        null => new GenerationConfig(),
        GenerationConfig config => config,
        var other => throw new ArgumentException($"RawRepresentationFactory gives a {other.GetType().Name}; expected a {nameof(GenerationConfig)} or null.", nameof(options)),
    };
}
