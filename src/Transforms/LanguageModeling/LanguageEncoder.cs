using System.Text.Json;
using System.Text.Json.Nodes;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Texts, prompts and conversations to token ids, and which of them are to be learnt. Safe to use from several threads.</summary>
internal sealed class LanguageEncoder
{
    private readonly PretrainedTokenizer _tokenizer;
    private readonly LearnedText _learned;
    private readonly TruncationSide _side;
    private readonly int? _end;

    /// <summary>Wraps a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="learned">What a row is.</param>
    /// <param name="maxLength">Most tokens at once, at least 2.</param>
    /// <param name="side">Which part of a too long text with a prompt, or of a conversation, is cut. A text alone is never cut, but read in parts.</param>
    /// <param name="endOfText">Whether a text is followed by the token that ends texts.</param>
    /// <exception cref="ArgumentException">The model has no chat template where one is needed.</exception>
    public LanguageEncoder(PretrainedTokenizer tokenizer, LearnedText learned, int maxLength, TruncationSide side, bool endOfText)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        if (learned != LearnedText.Text && tokenizer.ChatTemplates.Count == 0)
            throw new ArgumentException($"{learned} needs a chat template, and the model's tokenizer has none (chat_template.jinja, or chat_template in tokenizer_config.json). Use {nameof(LearnedText)}.{nameof(LearnedText.Text)} and write the form with FormatPrompt.");
        (_tokenizer, _learned, MaxLength, _side) = (tokenizer, learned, maxLength, side);
        _end = endOfText ? tokenizer.EosTokenId : null;
    }

    /// <summary>Most tokens at once.</summary>
    public int MaxLength { get; }

    /// <summary>Encodes a row.</summary>
    /// <exception cref="FormatException">The text is to be a conversation and is none.</exception>
    public LanguageRow Encode(LanguageText row)
    {
        (int[] ids, bool[] learned) = _learned switch
        {
            LearnedText.Text => Plain(row),
            LearnedText.ChatResponse => Chat(
                [new JsonObject { ["role"] = "user", ["content"] = row.Prompt ?? "" }, new JsonObject { ["role"] = "assistant", ["content"] = row.Text }]),
            _ => Chat(Messages(row.Text)),
        };
        if (ids.Length == 0) return new LanguageRow([], Truncated: false);
        learned[0] = false;
        if (ids.Length <= MaxLength) return new LanguageRow([new(ids, learned)], Truncated: false);
        if (_learned == LearnedText.Text && row.Prompt is null) return new LanguageRow(Parts(ids, learned), Truncated: false);

        // What stands before an answer must not be parted from it.
        int head = _side switch { TruncationSide.End => MaxLength, TruncationSide.Start => 0, _ => (MaxLength + 1) / 2 }, tail = MaxLength - head;
        bool[] kept = [.. learned[..head], .. learned[^tail..]];
        kept[0] = false;
        return new LanguageRow([new([.. ids[..head], .. ids[^tail..]], kept)], Truncated: true);
    }

    private (int[] Ids, bool[] Learned) Plain(LanguageText row)
    {
        int[] before = row.Prompt is null ? [] : _tokenizer.EncodeIds(row.Prompt);
        int[] text = _tokenizer.EncodeIds(row.Text, addSpecialTokens: row.Prompt is null);
        int[] ids = _end is { } end && (text.Length == 0 || text[^1] != end) ? [.. before, .. text, end] : [.. before, .. text];
        var learned = new bool[ids.Length];
        learned.AsSpan(before.Length).Fill(true);
        return (ids, learned);
    }

    /// <summary>What the assistant says: what the template marks, else what the text has more with each of its messages than with those before it alone.</summary>
    private (int[] Ids, bool[] Learned) Chat(JsonArray messages)
    {
        EncodedChat chat = _tokenizer.EncodeChat(messages);
        if (chat.AssistantMask.Contains(true)) return ([.. chat.Ids], [.. chat.AssistantMask]);
        var said = new List<(int Start, int End)>();
        for (int i = 0; i < messages.Count; i++)
        {
            if ((string?)messages[i]!["role"] != "assistant") continue;
            if (i == 0) throw new FormatException("A conversation begins with what the assistant says; expected a message that it answers.");
            string before = _tokenizer.ApplyChatTemplate(First(messages, i), new ChatTemplateOptions { AddGenerationPrompt = true });
            string with = i == messages.Count - 1 ? chat.Text : _tokenizer.ApplyChatTemplate(First(messages, i + 1));
            if (!with.StartsWith(before, StringComparison.Ordinal) || !chat.Text.StartsWith(with, StringComparison.Ordinal))
                throw new FormatException("The model's chat template writes a message differently when others follow it, so that it cannot be told what the assistant says. Mark it in the template with {% generation %} and {% endgeneration %}.");
            said.Add((before.Length, with.Length));
        }

        return ([.. chat.Ids], [.. chat.Encoding.Offsets.Select(place => said.Exists(part => place.Start.Value >= part.Start && place.Start.Value < part.End))]);
    }

    private static JsonArray First(JsonArray messages, int count) => [.. messages.Take(count).Select(message => message!.DeepClone())];

    private static JsonArray Messages(string json)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(json);
        }
        catch (JsonException error)
        {
            throw new FormatException($"A conversation is no JSON: {error.Message} Expected an array of messages: [{{\"role\": \"user\", \"content\": \"…\"}}, …].", error);
        }

        return node is JsonArray { Count: > 0 } messages && messages.All(message => message is JsonObject fields && fields["role"] is JsonValue role && role.GetValueKind() == JsonValueKind.String)
            ? messages
            : throw new FormatException($"A conversation is '{(json.Length > 60 ? json[..60] + "…" : json)}'; expected an array of messages: [{{\"role\": \"user\", \"content\": \"…\"}}, …].");
    }

    /// <summary>Parts that each begin with the last quarter of the one before, for context; a token is learnt in the first part that holds it.</summary>
    private LanguageSequence[] Parts(int[] ids, bool[] learned) => [.. TokenWindow.Cut(ids, 0, ids.Length, MaxLength, Math.Max(1, MaxLength / 4)).Select(window =>
    {
        bool[] part = learned[window.First..(window.First + window.Count)];
        part.AsSpan(0, Math.Max(1, window.Overlap)).Clear();
        return new LanguageSequence(window.Ids, part);
    })];
}
