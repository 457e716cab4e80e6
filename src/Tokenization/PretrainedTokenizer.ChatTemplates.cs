using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace MLComponents.Tokenization;

/// <content>Conversations in the form the model was trained with.</content>
public sealed partial class PretrainedTokenizer
{
    /// <summary>
    /// The chat templates by name: those of <c>chat_template.jinja</c> (<c>default</c>) and <c>additional_chat_templates</c>, else those
    /// that <c>chat_template</c> in <c>tokenizer_config.json</c> holds. Empty where the model has none.
    /// </summary>
    public IReadOnlyDictionary<string, string> ChatTemplates => _chatTemplates.Texts;

    /// <summary>Writes a conversation as the text that the model reads. The special tokens of the tokenizer are variables of the template.</summary>
    /// <param name="messages">The messages, at least one.</param>
    /// <param name="options">What else the template is given.</param>
    /// <exception cref="InvalidOperationException">The tokenizer has no chat template.</exception>
    /// <exception cref="ArgumentException">There are no messages, or options contradict each other, the messages or the tokenizer.</exception>
    /// <exception cref="ChatTemplateException">The template is broken, failed, or refused the messages.</exception>
    public string ApplyChatTemplate(IEnumerable<ChatMessage> messages, ChatTemplateOptions? options = null) => RenderChat(ChatMessageJson.Convert(messages), options).Text;

    /// <summary>Writes a conversation that is given as JSON, with any fields that the template reads; those that are null are left out.</summary>
    /// <inheritdoc cref="ApplyChatTemplate(IEnumerable{ChatMessage}, ChatTemplateOptions?)"/>
    public string ApplyChatTemplate(JsonArray messages, ChatTemplateOptions? options = null) => RenderChat(messages, options).Text;

    /// <summary>Encodes a conversation; the template, not the tokenizer, writes the special tokens.</summary>
    /// <param name="messages">The messages, at least one.</param>
    /// <param name="options">What else the template is given.</param>
    /// <param name="encoding">How tokens are cut and padded; <see cref="EncodingOptions.AddSpecialTokens"/> is not read.</param>
    /// <inheritdoc cref="ApplyChatTemplate(IEnumerable{ChatMessage}, ChatTemplateOptions?)"/>
    public EncodedChat EncodeChat(IEnumerable<ChatMessage> messages, ChatTemplateOptions? options = null, EncodingOptions? encoding = null) =>
        EncodeChat(ChatMessageJson.Convert(messages), options, encoding);

    /// <summary>Encodes a conversation that is given as JSON; the template, not the tokenizer, writes the special tokens.</summary>
    /// <inheritdoc cref="EncodeChat(IEnumerable{ChatMessage}, ChatTemplateOptions?, EncodingOptions?)"/>
    public EncodedChat EncodeChat(JsonArray messages, ChatTemplateOptions? options = null, EncodingOptions? encoding = null)
    {
        RenderedChat chat = RenderChat(messages, options);
        Encoding encoded = Encode(chat.Text, (encoding ?? new EncodingOptions()).WithoutSpecialTokens());
        return new EncodedChat(chat.Text, encoded, AssistantMask(chat, encoded));
    }

    private RenderedChat RenderChat(JsonArray messages, ChatTemplateOptions? options)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Render(_chatTemplates.Get(options?.TemplateName, options?.Tools is not null), messages, options, _specialTokens);
    }

    /// <summary>Renders messages without those of their fields that are null.</summary>
    internal static RenderedChat Render(ChatTemplate template, JsonArray messages, ChatTemplateOptions? options, IEnumerable<KeyValuePair<string, string>> specialTokens)
    {
        if (messages.Count == 0) throw new ArgumentException("A conversation needs at least one message.", nameof(messages));
        var given = new JsonArray([.. messages.Select(message => message is JsonObject fields
            ? new JsonObject(fields.Where(field => field.Value is not null).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())))
            : message?.DeepClone())]);
        return template.Render(given, options, specialTokens);
    }

    // From the token of a part's first character to that of its last.
    private static bool[] AssistantMask(RenderedChat chat, Encoding encoded)
    {
        var mask = new bool[encoded.Ids.Count];
        int Token(int character)
        {
            for (int token = 0; token < mask.Length; token++)
                if (encoded.Offsets[token].Start.Value <= character && character < encoded.Offsets[token].End.Value) return token;
            return -1;
        }

        foreach (Range part in chat.Generations)
        {
            int first = Token(part.Start.Value), last = Token(part.End.Value - 1);
            if (first < 0) break; // cut off
            Array.Fill(mask, true, first, Math.Max(0, (last > 0 ? last + 1 : mask.Length) - first));
        }

        return mask;
    }
}
