using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace MLComponents.Tokenization;

/// <summary>
/// A chat template: the Jinja program that comes with a model and writes conversations in the form it was trained with. It gives what
/// transformers gives, character by character. Compiled once, it can be rendered any number of times and from any number of threads.
/// </summary>
/// <remarks>
/// A template is code from someone else. It runs in an interpreter that knows only JSON-like values, calls nothing of .NET, reads no files
/// and stops at <see cref="ChatTemplateLimits"/>.
/// </remarks>
public sealed class ChatTemplate
{
    private static readonly string[] Reserved = ["messages", "tools", "documents", "add_generation_prompt"];

    private readonly Statement _body;
    private readonly IReadOnlyDictionary<string, BlockStatement> _blocks;

    private ChatTemplate(string text)
    {
        Text = text;
        (_body, _blocks, HasGenerationBlocks) = TemplateParser.Parse(text);
    }

    /// <summary>The template as it was given.</summary>
    public string Text { get; }

    /// <summary>Whether the template marks what the model is to have written (<c>{% generation %}</c>), so that it gives <see cref="RenderedChat.Generations"/>.</summary>
    public bool HasGenerationBlocks { get; }

    /// <summary>Compiles a template.</summary>
    /// <param name="template">Its text.</param>
    /// <exception cref="ChatTemplateException">The text is no template; the error has the line and column.</exception>
    public static ChatTemplate Compile(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return new ChatTemplate(template);
    }

    /// <summary>Renders messages.</summary>
    /// <param name="messages">The messages; what becomes of their contents stands in the documentation of chat templates.</param>
    /// <param name="options">What else the template is given.</param>
    /// <exception cref="ChatTemplateException">The template failed, or refused the messages.</exception>
    /// <exception cref="ArgumentException">Options contradict each other or the messages, or a content has no form in templates.</exception>
    public RenderedChat Render(IEnumerable<ChatMessage> messages, ChatTemplateOptions? options = null) => Render(ChatMessageJson.Convert(messages), options);

    /// <summary>Renders messages that are given as JSON, with any fields that the template reads.</summary>
    /// <param name="messages">An array of objects.</param>
    /// <param name="options">What else the template is given.</param>
    /// <exception cref="ChatTemplateException">The template failed, or refused the messages.</exception>
    /// <exception cref="ArgumentException">Options contradict each other or the messages.</exception>
    public RenderedChat Render(JsonArray messages, ChatTemplateOptions? options = null) => Render(messages, options, []);

    internal RenderedChat Render(JsonArray messages, ChatTemplateOptions? options, IEnumerable<KeyValuePair<string, string>> specialTokens)
    {
        ArgumentNullException.ThrowIfNull(messages);
        options ??= new ChatTemplateOptions();
        ChatTemplateLimits limits = options.Limits ?? new ChatTemplateLimits();
        limits.Validate();
        if (options is { AddGenerationPrompt: true, ContinueFinalMessage: true })
            throw new ArgumentException("AddGenerationPrompt and ContinueFinalMessage exclude each other: the first begins a new message, the second goes on with the last one.", nameof(options));
        foreach (JsonNode? message in messages)
            if (message is not JsonObject) throw new ArgumentException($"Every message must be a JSON object, but one is {message?.ToJsonString() ?? "null"}.", nameof(messages));
        foreach (JsonNode? document in options.Documents ?? [])
            if (document is not JsonObject) throw new ArgumentException($"Every document must be a JSON object, but one is {document?.ToJsonString() ?? "null"}.", nameof(options));
        foreach (JsonNode? tool in options.Tools ?? [])
            if (tool is not JsonObject) throw new ArgumentException($"Every tool must be a JSON schema, but one is {tool?.ToJsonString() ?? "null"}.", nameof(options));

        var variables = new Scope(null);
        var context = new RenderContext(limits, options.TimeProvider ?? TimeProvider.System) { Blocks = _blocks, Global = variables };
        try
        {
            foreach ((string name, string token) in specialTokens) variables.Set(name, token);
            foreach ((string name, JsonNode? value) in options.Variables ?? new Dictionary<string, JsonNode?>())
            {
                if (Reserved.Contains(name)) throw new ArgumentException($"The variable {name} has a place of its own; it cannot be among {nameof(ChatTemplateOptions.Variables)}.", nameof(options));
                variables.Set(name, JsonValues.Convert(context, value));
            }

            var chat = new List<DictValue>();
            foreach (JsonNode? message in messages) chat.Add(WithReasoning((DictValue)JsonValues.Convert(context, message)!));
            ContinuedMessage? continued = options.ContinueFinalMessage ? ContinuedMessage.Mark(chat, options.ContinuedField, Text) : null;
            variables.Set("messages", new ListValue([.. chat]));
            variables.Set("tools", JsonValues.Convert(context, options.Tools));
            variables.Set("documents", JsonValues.Convert(context, options.Documents));
            variables.Set("add_generation_prompt", options.AddGenerationPrompt);
            _body.Execute(context, variables);
            string text = context.Root.ToString();
            return Result(continued is null ? text : continued.Cut(text), context.Generations);
        }
        catch (Fault fault)
        {
            throw new ChatTemplateException(fault.Kind, fault.Message, context.Position.Line, context.Position.Column, fault);
        }
    }

    // Models do not agree on a name for reasoning; a message has it under both of the usual ones.
    private static DictValue WithReasoning(DictValue message)
    {
        object? Field(string name) => message.TryGet(name, out object? value) ? value : null;
        object? reasoning = Field("reasoning_content") ?? Field("thinking") ?? Field("reasoning");
        if (reasoning is null) return message;
        if (Field("reasoning_content") is null) message.Set("reasoning_content", reasoning);
        if (Field("thinking") is null) message.Set("thinking", reasoning);
        return message;
    }

    private static RenderedChat Result(string text, List<(int Start, int Length)> generations)
    {
        var ranges = new List<Range>(generations.Count);
        foreach ((int start, int length) in generations)
        {
            int from = CodePointText.Index(text, start);
            ranges.Add(from..(from + CodePointText.Index(text[from..], length)));
        }

        return new RenderedChat(text, ranges);
    }
}
