using System.Text.Json.Nodes;

namespace MLComponents.Models;

/// <summary>What a <see cref="LanguageModelChatClient"/> does where a request says nothing.</summary>
public sealed record ChatClientSettings
{
    /// <summary>The name under which responses and metadata know the model; null for that of its folder.</summary>
    public string? ModelId { get; init; }

    /// <summary>How text is generated where a request says nothing; what is null here follows the model's <see cref="CausalLanguageModel.GenerationConfig"/>.</summary>
    public GenerationConfig? Generation { get; init; }

    /// <summary>Which of the tokenizer's chat templates is used; null as <see cref="Tokenization.ChatTemplateOptions.TemplateName"/> says.</summary>
    public string? TemplateName { get; init; }

    /// <summary>Variables of the chat template, such as <c>enable_thinking</c>; those of a request go before them.</summary>
    public IReadOnlyDictionary<string, JsonNode?>? TemplateVariables { get; init; }

    /// <summary>
    /// How many tokens of earlier conversations are kept in memory as what the model has read, so that a conversation that goes on is not read again; the conversations used
    /// last stay. 0 for none: then a reply follows from its request alone, to the last bit.
    /// </summary>
    public int CachedTokens { get; init; } = 16_384;
}
