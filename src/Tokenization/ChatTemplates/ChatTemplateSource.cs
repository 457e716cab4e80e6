using System.Collections.Concurrent;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>The chat templates among the files of a tokenizer, compiled when they are first asked for.</summary>
internal sealed class ChatTemplateSource
{
    /// <summary>The name of the template for conversations of every kind.</summary>
    public const string Default = "default";

    private const string WithTools = "tool_use";

    private readonly ConcurrentDictionary<string, ChatTemplate> _compiled = new(StringComparer.Ordinal);

    public ChatTemplateSource(IReadOnlyDictionary<string, byte[]> files, TokenizerConfiguration configuration)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string file, byte[] content) in files)
            if (TokenizerFiles.TemplateName(file) is { } name) texts[name] = Text(file, content);
        if (texts.Count == 0)
        {
            foreach ((string name, string text) in configuration.ChatTemplates) texts[name] = text;
        }

        Texts = texts;
    }

    /// <summary>The templates by name.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; }

    /// <summary>The template with a name, or the one that suits a conversation.</summary>
    public ChatTemplate Get(string? name, bool hasTools)
    {
        if (Texts.Count == 0) throw new InvalidOperationException("The tokenizer has no chat template: there is no chat_template in its tokenizer_config.json and no chat_template.jinja.");
        name ??= hasTools && Texts.ContainsKey(WithTools) ? WithTools : Default;
        if (!Texts.TryGetValue(name, out string? text))
            throw new ArgumentException($"The tokenizer has no chat template named {name}; it has: {string.Join(", ", Texts.Keys.Order(StringComparer.Ordinal))}. {nameof(ChatTemplateOptions)}.{nameof(ChatTemplateOptions.TemplateName)} chooses one.");
        return _compiled.GetOrAdd(name, _ => ChatTemplate.Compile(text));
    }

    private static string Text(string file, byte[] content)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(content);
        }
        catch (DecoderFallbackException problem)
        {
            throw new FormatException($"{file} must be UTF-8, but is not.", problem);
        }
    }
}
