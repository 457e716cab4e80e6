using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>What a chat template is given beside the messages, under the names that transformers has for it.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Whether the text ends with what makes the model begin an answer (<c>add_generation_prompt</c>).</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>
    /// Whether the text ends inside the last message, so that the model goes on with it (<c>continue_final_message</c>). It cannot be
    /// combined with <see cref="AddGenerationPrompt"/>.
    /// </summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>The field of the last message that is gone on with, such as <c>reasoning_content</c>; the default is <c>content</c>.</summary>
    public string ContinuedField { get; init; } = "content";

    /// <summary>
    /// The tools that the model may call, as JSON schemas: objects with <c>type</c> and <c>function</c>. <see cref="ToolSchemas"/> makes
    /// them of <see cref="Microsoft.Extensions.AI.AITool"/>.
    /// </summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Documents to answer from: objects, usually with <c>title</c> and <c>text</c>.</summary>
    public JsonArray? Documents { get; init; }

    /// <summary>Further variables, such as <c>enable_thinking</c>. They win over the special tokens of a tokenizer.</summary>
    public IReadOnlyDictionary<string, JsonNode?>? Variables { get; init; }

    /// <summary>
    /// The name of the template, where a tokenizer has several; null for <c>tool_use</c> where there is one and tools are given, else
    /// <c>default</c>. A template that is rendered itself does not read it.
    /// </summary>
    public string? TemplateName { get; init; }

    /// <summary>The clock that <c>strftime_now</c> reads, local time; null for that of the system.</summary>
    public TimeProvider? TimeProvider { get; init; }

    /// <summary>How much work the template may do; null for the defaults.</summary>
    public ChatTemplateLimits? Limits { get; init; }
}
