using System.Text.Json.Nodes;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Makes the tokens that the model reads of a row: of its input as it is, or of a conversation around it. Safe to use from several threads.</summary>
internal sealed class PromptEncoder
{
    private readonly PretrainedTokenizer _tokenizer;
    private readonly ChatPromptOptions? _chat;
    private readonly TextEncoder _plain;

    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="chat">The conversation, or null.</param>
    /// <param name="maxLength">Most tokens of a prompt.</param>
    /// <param name="side">Which part of a longer input is cut.</param>
    /// <exception cref="InvalidOperationException">There is no chat template.</exception>
    /// <exception cref="ChatTemplateException">The chat template refuses such conversations.</exception>
    public PromptEncoder(PretrainedTokenizer tokenizer, ChatPromptOptions? chat, int maxLength, TruncationSide side)
    {
        (_tokenizer, _chat, _plain) = (tokenizer, chat, new TextEncoder(tokenizer, maxLength, side));
        SharedIds(""); // a template that refuses such conversations does so now
    }

    /// <summary>Most tokens of a prompt.</summary>
    public int MaxLength => _plain.MaxLength;

    /// <summary>The tokens that all prompts begin with, as far as they do not depend on the row.</summary>
    /// <param name="beginning">What the texts of the input begin with.</param>
    public int[] SharedIds(string beginning)
    {
        if (_chat is null ? beginning.Length == 0 : !_chat.IsFixed) return [];
        int[] one = Ids(beginning + "a"), other = Ids(beginning + "1");
        return one[..Math.Min(MaxLength, one.AsSpan().CommonPrefixLength(other))];
    }

    /// <summary>Encodes a prompt.</summary>
    /// <exception cref="InvalidOperationException">What stands around the input leaves no room for it.</exception>
    public EncodedText Encode(GenerationPrompt prompt)
    {
        if (_chat is null) return _plain.Encode(prompt.Input.Span);
        string input = prompt.Input.ToString();
        int[] ids = Conversation(prompt, input);
        if (ids.Length <= MaxLength) return new(ids, Truncated: false);

        // The input gives way, not what stands around it. Tokens at the seam may become others, so that more than one cut may be needed.
        Encoding tokens = _tokenizer.Encode(input, addSpecialTokens: false);
        for (int kept = tokens.Ids.Count; kept > 0;)
        {
            kept = Math.Max(0, kept - (ids.Length - MaxLength));
            ids = Conversation(prompt, Cut(input, tokens, kept));
            if (ids.Length <= MaxLength) return new(ids, Truncated: true);
        }

        throw new InvalidOperationException(
            $"The chat template, the system prompt and {_chat.Examples.Count + prompt.Examples.Count} examples take {ids.Length} tokens, a prompt may have {MaxLength}: there is no room for the input. Use fewer examples, raise MaxPromptLength or lower MaxNewTokens.");
    }

    private int[] Conversation(GenerationPrompt prompt, string input)
    {
        var messages = new JsonArray();
        string system = _chat!.SystemPrompt ?? prompt.SystemPrompt.ToString();
        if (system.Length > 0) Add("system", system);
        foreach (ChatExample example in _chat.Examples.Concat(prompt.Examples))
        {
            Add("user", example.Input);
            Add("assistant", example.Output);
        }

        Add("user", input);
        return [.. _tokenizer.EncodeChat(messages, new ChatTemplateOptions { AddGenerationPrompt = true }).Ids];

        void Add(string role, string content) => messages.Add((JsonNode)new JsonObject { ["role"] = role, ["content"] = content });
    }

    private int[] Ids(string input) => _chat is null ? _plain.Encode(input).Ids : Conversation(new GenerationPrompt(default, default, []), input);

    private string Cut(string text, Encoding tokens, int kept)
    {
        int head = _plain.Side switch
        {
            TruncationSide.End => kept,
            TruncationSide.Start => 0,
            _ => (kept + 1) / 2,
        };
        int tail = kept - head;
        string beginning = head == 0 ? "" : text[..tokens.Offsets[head - 1].End.Value];
        return tail == 0 ? beginning : beginning + text[tokens.Offsets[^tail].Start.Value..];
    }
}
