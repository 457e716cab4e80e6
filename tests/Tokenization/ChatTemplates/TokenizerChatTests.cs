using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace MLComponents.Tokenization.Tests;

public sealed class TokenizerChatTests
{
    private static readonly ChatMessage[] Hello = [new(ChatRole.User, "Hi")];

    [Fact]
    public void The_template_of_tokenizer_config_json_is_applied()
    {
        PretrainedTokenizer tokenizer = Load(("tokenizer_config.json", """{"chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token is defined }}", "bos_token": "<|im_start|>", "eos_token": {"content": "<|im_end|>"}}"""));
        Assert.Equal("<|im_start|>Hi<|im_end|>False", tokenizer.ApplyChatTemplate(Hello));
    }

    [Fact]
    public void A_list_of_templates_is_chosen_from_by_name_and_tools()
    {
        PretrainedTokenizer tokenizer = Load(("tokenizer_config.json", """{"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}, {"name": "rag", "template": "rag"}]}"""));
        Assert.Equal("plain", tokenizer.ApplyChatTemplate(Hello));
        Assert.Equal("tools", tokenizer.ApplyChatTemplate(Hello, new ChatTemplateOptions { Tools = [] }));
        Assert.Equal("rag", tokenizer.ApplyChatTemplate(Hello, new ChatTemplateOptions { TemplateName = "rag" }));
        Assert.Contains("default, rag, tool_use", Assert.Throws<ArgumentException>(() => tokenizer.ApplyChatTemplate(Hello, new ChatTemplateOptions { TemplateName = "other" })).Message);
    }

    [Fact]
    public void Template_files_win_over_the_configuration_and_are_saved_again()
    {
        string folder = Directory.CreateTempSubdirectory("mlcomponents-chat-").FullName;
        try
        {
            Load(("tokenizer_config.json", """{"chat_template": "config"}"""), ("chat_template.jinja", "file"), ("additional_chat_templates/rag.jinja", "more")).Save(folder);
            PretrainedTokenizer loaded = PretrainedTokenizer.Load(folder);
            Assert.Equal(["default", "rag"], loaded.ChatTemplates.Keys.Order());
            Assert.Equal("file", loaded.ApplyChatTemplate(Hello));
            Assert.Equal("more", loaded.ApplyChatTemplate(Hello, new ChatTemplateOptions { TemplateName = "rag" }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Without_a_template_the_error_says_where_one_would_be()
    {
        PretrainedTokenizer tokenizer = Load();
        Assert.Empty(tokenizer.ChatTemplates);
        Assert.Contains("chat_template.jinja", Assert.Throws<InvalidOperationException>(() => tokenizer.ApplyChatTemplate(Hello)).Message);
    }

    [Fact]
    public void A_broken_template_stops_its_use_but_not_the_tokenizer()
    {
        PretrainedTokenizer tokenizer = Load(("chat_template.jinja", "{% if %}"));
        Assert.NotEmpty(tokenizer.EncodeIds("text"));
        Assert.Throws<ChatTemplateException>(() => tokenizer.ApplyChatTemplate(Hello));
    }

    [Fact]
    public void Fields_that_are_null_are_left_out_and_an_empty_conversation_is_refused()
    {
        PretrainedTokenizer tokenizer = Load(("chat_template.jinja", "{{ messages[0] }}"));
        Assert.Equal("{'role': 'user', 'x': [None]}", tokenizer.ApplyChatTemplate(new JsonArray(new JsonObject { ["role"] = "user", ["content"] = null, ["x"] = new JsonArray((JsonNode?)null) })));
        Assert.Throws<ArgumentException>(() => tokenizer.ApplyChatTemplate(new JsonArray()));
    }

    [Fact]
    public void An_encoded_chat_has_the_special_tokens_of_the_template_only()
    {
        PretrainedTokenizer tokenizer = Load(("chat_template.jinja", "<|im_start|>{{ messages[0].content }}{% generation %}{{ messages[1].content }}{% endgeneration %}<|im_end|>"));
        EncodedChat chat = tokenizer.EncodeChat([new ChatMessage(ChatRole.User, "one two"), new ChatMessage(ChatRole.Assistant, " three")]);
        Assert.Equal(tokenizer.EncodeIds(chat.Text, addSpecialTokens: false), chat.Ids);
        Assert.Equal(" three", string.Concat(chat.Encoding.Offsets.Where((_, token) => chat.AssistantMask[token]).Select(offset => chat.Text[offset])));
    }

    [Fact]
    public void What_truncation_cut_off_is_not_in_the_mask()
    {
        PretrainedTokenizer tokenizer = Load(("chat_template.jinja", "{{ messages[0].content }}{% generation %}{{ messages[1].content }}{% endgeneration %}"));
        ChatMessage[] messages = [new(ChatRole.User, "one two three four five"), new(ChatRole.Assistant, " six")];
        EncodedChat chat = tokenizer.EncodeChat(messages, encoding: new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = 3 });
        Assert.Equal(3, chat.Ids.Count);
        Assert.DoesNotContain(true, chat.AssistantMask);
    }

    private static PretrainedTokenizer Load(params (string Name, string Content)[] files)
    {
        var all = new Dictionary<string, byte[]> { ["tokenizer.json"] = File.ReadAllBytes(Path.Combine(Samples.Folder("qwen2-like"), "tokenizer.json")) };
        foreach ((string name, string content) in files) all[name] = System.Text.Encoding.UTF8.GetBytes(content);
        return PretrainedTokenizer.Load(all);
    }
}
