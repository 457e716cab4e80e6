using MLComponents.Tokenization;

namespace MLComponents.Models.Tests;

/// <summary>What chats are tested with: a real tokenizer with a chat template, and models with random weights or a script.</summary>
internal static class ChatSamples
{
    public const string Template = """
        {%- for tool in tools or [] %}{{ 'tool: ' ~ tool | tojson ~ '\n' }}{% endfor -%}
        {%- for message in messages %}{{ '<|im_start|>' ~ message.role ~ '\n' ~ (message.content or '') }}
        {%- for call in message.tool_calls or [] %}{{ '<tool_call>' ~ call.function | tojson ~ '</tool_call>' }}{% endfor %}{{ '<|im_end|>\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' ~ ('' if enable_thinking is undefined else 'thinking: ' ~ enable_thinking ~ '\n') }}{% endif %}
        """;

    public static PretrainedTokenizer Tokenizer { get; } = WithTemplate(Template);

    public static PretrainedTokenizer WithTemplate(string template) =>
        PretrainedTokenizer.Load(new Dictionary<string, byte[]>(TinyDecoder.LoadTokenizer().Files) { ["chat_template.jinja"] = System.Text.Encoding.UTF8.GetBytes(template) });

    public static CausalLanguageModel Model(long seed = 1, int positions = 512) =>
        new(ModelSamples.Config() with { VocabularySize = Tokenizer.VocabularySize, LayerCount = 1, MaxPositions = positions }, seed);

    /// <summary>A model that replies with some texts, whatever it is asked: one after the other.</summary>
    public static CausalLanguageModel Scripted(out ScriptedDecoding script, params string[] replies)
    {
        CausalLanguageModel model = Model();
        script = new ScriptedDecoding(model.Config, Tokenizer, replies);
        model.Decoding = script;
        return model;
    }
}
