using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using MLComponents.Tokenization;
using Microsoft.Extensions.AI;

namespace MLComponents.Models.Tests;

public class LanguageModelChatClientTests
{
    private static readonly ChatMessage[] s_question = [new(ChatRole.System, "Be brief."), new(ChatRole.User, "Where is my parcel?")];

    private static readonly AIFunctionDeclaration s_weather = AIFunctionFactory.CreateDeclaration(
        "weather", "The weather of a city.", JsonElement.Parse("""{"type":"object","properties":{"city":{"type":"string","maxLength":8},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["city","days"]}"""));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Mappings => [.. s_mappings.Keys];

    private static readonly Dictionary<string, (ChatOptions Options, GenerationConfig Expected)> s_mappings = new()
    {
        ["the model's own way"] = (new() { MaxOutputTokens = 9 }, new() { MaxNewTokens = 9 }),
        ["temperature 0"] = (new() { Temperature = 0, MaxOutputTokens = 9 }, new() { DoSample = false, MaxNewTokens = 9 }),
        ["temperature"] = (new() { Temperature = 2.5f, Seed = 4, MaxOutputTokens = 9 }, new() { DoSample = true, Temperature = 2.5, Seed = 4, MaxNewTokens = 9 }),
        ["top p"] = (new() { TopP = 0.25f, Seed = 4, MaxOutputTokens = 9 }, new() { DoSample = true, TopP = 0.25, Seed = 4, MaxNewTokens = 9 }),
        ["top k"] = (new() { TopK = 3, Seed = 4, MaxOutputTokens = 9 }, new() { DoSample = true, TopK = 3, Seed = 4, MaxNewTokens = 9 }),
        ["keys of generation_config.json"] = (
            new() { AdditionalProperties = new() { ["do_sample"] = true, ["min_p"] = 0.3, ["repetition_penalty"] = 1.5, ["bad_words_ids"] = new[] { new[] { 5 } } }, Seed = 4, MaxOutputTokens = 9 },
            new() { DoSample = true, MinP = 0.3, RepetitionPenalty = 1.5, BadWordsIds = [[5]], Seed = 4, MaxNewTokens = 9 }),
        ["a configuration"] = (
            new() { RawRepresentationFactory = _ => new GenerationConfig { DoSample = true, TypicalP = 0.4, MaxNewTokens = 90 }, Seed = 4, MaxOutputTokens = 9 },
            new() { DoSample = true, TypicalP = 0.4, Seed = 4, MaxNewTokens = 9 }),
    };

    [Theory]
    [MemberData(nameof(Mappings))]
    public async Task A_reply_is_what_the_model_generates_for_the_conversation(string name)
    {
        (ChatOptions options, GenerationConfig config) = s_mappings[name];
        using CausalLanguageModel model = ChatSamples.Model();
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
        EncodedChat chat = ChatSamples.Tokenizer.EncodeChat(s_question, new ChatTemplateOptions { AddGenerationPrompt = true });
        GeneratedSequence expected = model.Generate(chat.Ids, config with { EosTokenIds = [ChatSamples.Tokenizer.EosTokenId!.Value] }, Cancellation);

        ChatResponse whole = await client.GetResponseAsync(s_question, options, Cancellation);
        List<ChatResponseUpdate> updates = await client.GetStreamingResponseAsync(s_question, options, Cancellation).ToListAsync(Cancellation);

        Assert.Equal(ChatSamples.Tokenizer.Decode([.. expected.NewIds], skipSpecialTokens: true), whole.Text);
        Assert.Equal(whole.Text, string.Concat(updates.Select(update => update.Text)));
        Assert.True(updates.Count > 3);
        Assert.Equal(expected.FinishReason == FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop, whole.FinishReason);
        Assert.Equal(whole.FinishReason, updates[^1].FinishReason);
        Assert.Equal((chat.Ids.Count, expected.NewIds.Count, chat.Ids.Count + expected.NewIds.Count), ((int)whole.Usage!.InputTokenCount!, (int)whole.Usage.OutputTokenCount!, (int)whole.Usage.TotalTokenCount!));
        Assert.Equal(ChatRole.Assistant, Assert.Single(whole.Messages).Role);
        Assert.Equal(("qwen2", "qwen2"), (whole.ModelId, updates[0].ModelId));
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
    }

    [Fact]
    public async Task Stop_sequences_end_a_reply_and_are_not_in_it()
    {
        using CausalLanguageModel model = ChatSamples.Scripted(out _, "one two three four");
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, NoCache);
        ChatResponse response = await client.GetResponseAsync(s_question, new() { StopSequences = ["never", "o thr"] }, Cancellation);
        Assert.Equal(("one tw", ChatFinishReason.Stop), (response.Text, response.FinishReason));
        Assert.Equal("one two three four", (await client.GetResponseAsync(s_question, cancellationToken: Cancellation)).Text);
    }

    [Fact]
    public async Task Penalties_are_subtracted_for_what_the_reply_holds()
    {
        float[] scores = [0, 0, 0, 0];
        new TokenPenaltyProcessor(0.5f, 2).Process(new LogitsContext { Ids = [0, 0, 1, 2, 2, 1, 2], PromptLength = 2 }, scores);
        Assert.Equal([0, -3f, -3.5f, 0], scores);

        using CausalLanguageModel model = ChatSamples.Model();
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
        string plain = (await client.GetResponseAsync(s_question, new() { MaxOutputTokens = 60, Temperature = 0 }, Cancellation)).Text;
        string present = (await client.GetResponseAsync(s_question, new() { MaxOutputTokens = 60, Temperature = 0, PresencePenalty = 1000 }, Cancellation)).Text;
        string frequent = (await client.GetResponseAsync(s_question, new() { MaxOutputTokens = 60, Temperature = 0, FrequencyPenalty = 1000 }, Cancellation)).Text;
        Assert.NotEqual(plain, present);
        Assert.Equal(present, frequent); // no token twice, either way
    }

    [Fact]
    public async Task Tools_reach_the_template_and_calls_come_back()
    {
        using CausalLanguageModel model = ChatSamples.Scripted(
            out ScriptedDecoding script, "I look.\n<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Lima\", \"days\": 2}}</tool_call>", "It is sunny.");
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, NoCache);
        ChatOptions options = new() { Tools = [s_weather], Instructions = "Use tools." };
        List<ChatMessage> messages = [.. s_question];

        ChatResponse first = await client.GetResponseAsync(messages, options, Cancellation);
        var call = Assert.Single(first.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Equal(("weather", "Lima", ChatFinishReason.ToolCalls, "I look."), (call.Name, ((JsonElement)call.Arguments!["city"]!).GetString(), first.FinishReason, first.Text));
        messages.AddMessages(first);
        messages.Add(new ChatMessage(ChatRole.Tool, [new FunctionResultContent(call.CallId, "sunny")]));
        ChatResponse second = await client.GetResponseAsync(messages, options, Cancellation);

        Assert.Equal(("It is sunny.", ChatFinishReason.Stop), (second.Text, second.FinishReason));
        string[] prompts = [.. script.Prompts];
        Assert.Contains("The weather of a city.", prompts[0]);
        Assert.Contains("<|im_start|>system\nUse tools.\nBe brief.<|im_end|>", prompts[0]);
        Assert.Contains("I look.<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Lima\", \"days\": 2}}</tool_call><|im_end|>\n<|im_start|>tool\nsunny<|im_end|>", prompts[1]);
        Assert.EndsWith("<|im_start|>assistant\n", prompts[1]);
    }

    [Fact]
    public async Task One_call_at_most_ends_the_reply_with_it()
    {
        const string Reply = """[{"name":"weather","arguments":{}},{"name":"weather","arguments":{}}]""";
        using CausalLanguageModel model = ChatSamples.Scripted(out _, Reply);
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, NoCache);
        foreach ((bool? several, int expected) in new (bool?, int)[] { (null, 2), (true, 2), (false, 1) })
        {
            ChatResponse response = await client.GetResponseAsync(s_question, new() { Tools = [s_weather], AllowMultipleToolCalls = several }, Cancellation);
            Assert.Equal((expected, ChatFinishReason.ToolCalls), (response.Messages[0].Contents.OfType<FunctionCallContent>().Count(), response.FinishReason));
        }

        ChatResponse none = await client.GetResponseAsync(s_question, new() { Tools = [s_weather], ToolMode = ChatToolMode.None }, Cancellation);
        Assert.Equal((Reply, ChatFinishReason.Stop), (none.Text, none.FinishReason));
    }

    [Fact]
    public async Task A_required_call_comes_from_any_weights()
    {
        AIFunctionDeclaration other = AIFunctionFactory.CreateDeclaration("other", null, JsonElement.Parse("""{"type":"object","properties":{}}"""));
        JsonSchema schema = JsonSchema.FromText(s_weather.JsonSchema.GetRawText());
        for (int seed = 0; seed < 5; seed++)
        {
            using CausalLanguageModel model = ChatSamples.Model(seed);
            using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
            ChatOptions options = new() { Tools = [other, s_weather], ToolMode = ChatToolMode.RequireSpecific("weather"), Temperature = 1, Seed = seed, MaxOutputTokens = 200 };
            ChatResponse response = await client.GetResponseAsync(s_question, options, Cancellation);
            var call = Assert.IsType<FunctionCallContent>(Assert.Single(response.Messages[0].Contents));
            Assert.Equal("weather", call.Name);
            Assert.True(schema.Evaluate(JsonSerializer.SerializeToElement(call.Arguments)).IsValid);

            options.ToolMode = ChatToolMode.RequireAny;
            Assert.Contains(Assert.IsType<FunctionCallContent>(Assert.Single((await client.GetResponseAsync(s_question, options, Cancellation)).Messages[0].Contents)).Name, (string[])["weather", "other"]);
        }
    }

    private sealed record Answer(bool Found, int Shelf);

    [Fact]
    public async Task A_schema_is_followed_by_any_weights_and_beside_tools_a_reply_is_either()
    {
        ChatResponseFormatJson format = ChatResponseFormat.ForJsonSchema<Answer>();
        JsonSchema schema = JsonSchema.FromText(format.Schema!.Value.GetRawText());
        int calls = 0;
        for (int seed = 0; seed < 8; seed++)
        {
            using CausalLanguageModel model = ChatSamples.Model(seed);
            using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
            ChatOptions options = new() { ResponseFormat = format, Temperature = 1, Seed = seed, MaxOutputTokens = 200 };
            ChatResponse response = await client.GetResponseAsync(s_question, options, Cancellation);
            Assert.True(schema.Evaluate(JsonElement.Parse(response.Text)).IsValid, response.Text);
            Assert.Equal(ChatFinishReason.Stop, response.FinishReason);

            options.Tools = [s_weather];
            ChatResponse either = await client.GetResponseAsync(s_question, options, Cancellation);
            if (either.FinishReason == ChatFinishReason.ToolCalls) calls++;
            else Assert.True(schema.Evaluate(JsonElement.Parse(either.Text)).IsValid, either.Text);
        }

        Assert.InRange(calls, 1, 7);
    }

    [Fact]
    public async Task A_conversation_that_goes_on_is_not_read_again_and_says_the_same()
    {
        using CausalLanguageModel model = ChatSamples.Model();
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
        using var forgetful = new LanguageModelChatClient(model, ChatSamples.Tokenizer, NoCache);
        List<ChatMessage> messages = [.. s_question];
        long before = 0;
        for (int turn = 0; turn < 4; turn++)
        {
            ChatOptions options = new() { Temperature = 1, Seed = turn, MaxOutputTokens = 12 };
            ChatResponse anew = await forgetful.GetResponseAsync(messages, options, Cancellation);
            ChatResponse response = await client.GetResponseAsync(messages, options, Cancellation);
            Assert.Equal(anew.Text, response.Text);
            Assert.Equal(0, anew.Usage!.CachedInputTokenCount);
            Assert.True(turn == 0 ? response.Usage!.CachedInputTokenCount == 0 : response.Usage!.CachedInputTokenCount >= before, $"{turn}: {response.Usage.CachedInputTokenCount} of {before}");
            ChatMessage[] other = [s_question[0], new(ChatRole.User, string.Join(' ', Enumerable.Range(turn, 30)))];
            Assert.Equal(0, (await client.GetResponseAsync(other, options, Cancellation)).Usage!.CachedInputTokenCount); // too little in common
            before = response.Usage.InputTokenCount!.Value;
            messages.AddMessages(response);
            messages.Add(new ChatMessage(ChatRole.User, $"And {turn}?"));
        }
    }

    [Fact]
    public async Task Conversations_are_kept_within_the_number_of_tokens()
    {
        using CausalLanguageModel model = ChatSamples.Model();
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, new() { CachedTokens = 60 });
        ChatOptions options = new() { MaxOutputTokens = 4 };
        for (int index = 0; index < 6; index++)
        {
            await client.GetResponseAsync([new ChatMessage(ChatRole.User, $"{index} is a number")], options, Cancellation);
            Assert.InRange(client.Conversations.Count, 1, 5);
        }

        int before = client.Conversations.Count;

        await client.GetResponseAsync([new ChatMessage(ChatRole.User, string.Join(' ', Enumerable.Range(0, 60)))], options, Cancellation);
        Assert.Equal(before, client.Conversations.Count); // too long by itself
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2_000)]
    public async Task Thirty_two_chats_that_are_cancelled_at_random_say_the_same_as_alone_and_leave_nothing_behind(int cachedTokens)
    {
        using CausalLanguageModel model = ChatSamples.Model();
        string[][] alone = new string[32][];
        using (var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, NoCache))
            for (int index = 0; index < 32; index++) alone[index] = await Chat(client, index, int.MaxValue);
        Assert.True(alone.SelectMany(static texts => texts).Distinct().Count() > 48);

        LeakTests.AssertSteady(() =>
        {
            using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, new() { CachedTokens = cachedTokens });
            string[][] together = Task.WhenAll(Enumerable.Range(0, 32).Select(index => Task.Run(() => Chat(client, index, new Random(index).Next(1, 40))))).GetAwaiter().GetResult();
            int whole = 0;
            for (int index = 0; index < 32; index++)
            {
                for (int turn = 0; turn < together[index].Length; turn++)
                {
                    Assert.StartsWith(together[index][turn], alone[index][turn]);
                    if (together[index][turn] == alone[index][turn]) whole++;
                }
            }

            Assert.InRange(whole, 20, 63);
        });

        // Two turns; what there was of each when the chat was cancelled.
        static async Task<string[]> Chat(LanguageModelChatClient client, int index, int cancelAfter)
        {
            using var source = new CancellationTokenSource();
            List<ChatMessage> messages = [new(ChatRole.User, $"Chat {index}")];
            List<string> texts = [];
            try
            {
                for (int turn = 0; turn < 2; turn++)
                {
                    texts.Add("");
                    List<ChatResponseUpdate> updates = [];
                    await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(messages, new() { Temperature = 1, Seed = index, MaxOutputTokens = 14 }, source.Token))
                    {
                        updates.Add(update);
                        texts[^1] += update.Text;
                        if (--cancelAfter == 0) await source.CancelAsync();
                    }

                    messages.AddMessages(updates);
                    messages.Add(new ChatMessage(ChatRole.User, "Go on"));
                }
            }
            catch (OperationCanceledException)
            {
                // Meant to be.
            }

            return [.. texts];
        }
    }

    [Fact]
    public async Task Leaving_a_stream_ends_generation_and_the_client_goes_on()
    {
        using CausalLanguageModel model = ChatSamples.Model();
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
        await foreach (ChatResponseUpdate _ in client.GetStreamingResponseAsync(s_question, cancellationToken: Cancellation)) break;
        Assert.NotEmpty((await client.GetResponseAsync(s_question, new() { MaxOutputTokens = 3 }, Cancellation)).Messages);
    }

    [Fact]
    public async Task Without_a_limit_a_reply_fills_what_the_model_was_made_for_and_no_more()
    {
        using CausalLanguageModel model = ChatSamples.Model(positions: 60);
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
        foreach (int? most in (int?[])[null, 1000])
        {
            ChatResponse response = await client.GetResponseAsync(s_question, new() { Temperature = 0, MaxOutputTokens = most, RawRepresentationFactory = _ => new GenerationConfig { EosTokenIds = [] } }, Cancellation);
            Assert.Equal((60L, ChatFinishReason.Length), (response.Usage!.TotalTokenCount!.Value, response.FinishReason));
        }

        var refused = await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync([new(ChatRole.User, string.Join(' ', Enumerable.Range(0, 90)))], cancellationToken: Cancellation));
        Assert.Contains("of at most 60", refused.Message);
    }

    [Fact]
    public async Task Variables_of_the_template_come_from_settings_and_requests()
    {
        using CausalLanguageModel model = ChatSamples.Scripted(out ScriptedDecoding script, "yes");
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, NoCache with { TemplateVariables = new Dictionary<string, JsonNode?> { ["enable_thinking"] = true } });
        await client.GetResponseAsync(s_question, cancellationToken: Cancellation);
        await client.GetResponseAsync(s_question, new() { AdditionalProperties = new() { ["chat_template_kwargs"] = new Dictionary<string, object?> { ["enable_thinking"] = false } } }, Cancellation);
        Assert.EndsWith("thinking: True\n", script.Prompts.First());
        Assert.EndsWith("thinking: False\n", script.Prompts.Last());
    }

    [Fact]
    public async Task Thoughts_are_content_of_their_own_whether_the_model_or_the_template_opens_them()
    {
        using CausalLanguageModel model = ChatSamples.Scripted(out ScriptedDecoding script, "<think>\nabout Lima\n</think>\n\nIt is warm.");
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer, NoCache);
        ChatResponse response = await client.GetResponseAsync(s_question, cancellationToken: Cancellation);
        Assert.Equal("It is warm.", response.Text);
        Assert.Equal("about Lima", string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text)));
        ChatResponse without = await client.GetResponseAsync(s_question, new() { Reasoning = new() { Output = ReasoningOutput.None } }, Cancellation);
        Assert.Equal("It is warm.", without.Text);
        Assert.DoesNotContain(without.Messages.SelectMany(message => message.Contents), content => content is TextReasoningContent);

        using CausalLanguageModel second = ChatSamples.Scripted(out script, "about Lima</think>It is warm.");
        using var opened = new LanguageModelChatClient(second, ChatSamples.WithTemplate(ChatSamples.Template + "{{ '<think>\n' if add_generation_prompt }}"), NoCache);
        response = await opened.GetResponseAsync(s_question, cancellationToken: Cancellation);
        Assert.EndsWith("<think>\n", Assert.Single(script.Prompts));
        Assert.Equal("It is warm.", response.Text);
        Assert.Equal("about Lima", string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text)));
    }

    public static TheoryData<string, Type, string> Refusals => new()
    {
        { "model", typeof(ArgumentException), "'gpt'; this client has 'qwen2'" },
        { "conversation", typeof(NotSupportedException), "ConversationId" },
        { "reasoning", typeof(NotSupportedException), "chat_template_kwargs" },
        { "reasoning summed up", typeof(NotSupportedException), "Full or None" },
        { "any json", typeof(NotSupportedException), "ForJsonSchema" },
        { "schema", typeof(NotSupportedException), "#" },
        { "property", typeof(ArgumentException), "'temprature'" },
        { "factory", typeof(ArgumentException), "GenerationConfig" },
        { "temperature", typeof(ArgumentOutOfRangeException), "Temperature" },
        { "top p", typeof(ArgumentOutOfRangeException), "TopP" },
        { "top k", typeof(ArgumentOutOfRangeException), "TopK" },
        { "tokens", typeof(ArgumentOutOfRangeException), "MaxOutputTokens" },
        { "required", typeof(ArgumentException), "no tools" },
        { "specific", typeof(ArgumentException), "'forecast'" },
        { "hosted tool", typeof(NotSupportedException), "HostedWebSearchTool" },
        { "beams", typeof(ArgumentException), "beams" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_cannot_be_done_is_refused_with_what_was_found(string name, Type type, string expected)
    {
        ChatOptions options = name switch
        {
            "model" => new() { ModelId = "gpt" },
            "conversation" => new() { ConversationId = "7" },
            "reasoning" => new() { Reasoning = new() { Effort = ReasoningEffort.High } },
            "reasoning summed up" => new() { Reasoning = new() { Output = ReasoningOutput.Summary } },
            "any json" => new() { ResponseFormat = ChatResponseFormat.Json },
            "schema" => new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonElement.Parse("true")) },
            "property" => new() { AdditionalProperties = new() { ["temprature"] = 1 } },
            "factory" => new() { RawRepresentationFactory = _ => "x" },
            "temperature" => new() { Temperature = -1 },
            "top p" => new() { TopP = 1.5f },
            "top k" => new() { TopK = -1 },
            "tokens" => new() { MaxOutputTokens = 0 },
            "required" => new() { ToolMode = ChatToolMode.RequireAny },
            "specific" => new() { Tools = [s_weather], ToolMode = ChatToolMode.RequireSpecific("forecast") },
            "hosted tool" => new() { Tools = [new HostedWebSearchTool()] },
            _ => new() { AdditionalProperties = new() { ["num_beams"] = 2 } },
        };
        using CausalLanguageModel model = ChatSamples.Model();
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
        Exception refused = await Assert.ThrowsAsync(type, () => Reply(client, s_question, options));
        Assert.Contains(expected, refused.Message);
    }

    [Fact]
    public async Task Messages_that_the_model_cannot_read_are_refused()
    {
        using CausalLanguageModel model = ChatSamples.Model();
        using var client = new LanguageModelChatClient(model, ChatSamples.Tokenizer);
        await Assert.ThrowsAsync<ArgumentException>(() => Reply(client, [], null));
        await Assert.ThrowsAsync<ArgumentException>(() => Reply(client, [null!], null));
        Assert.Contains("text only", (await Assert.ThrowsAsync<NotSupportedException>(() => Reply(client, [new(ChatRole.User, [new UriContent("http://x/y.png", "image/png")])], null))).Message);

        using var deaf = new LanguageModelChatClient(model, ChatSamples.WithTemplate("{{ messages[0].content }}"));
        Assert.Contains("does not read tools", (await Assert.ThrowsAsync<NotSupportedException>(() => Reply(deaf, s_question, new() { Tools = [s_weather] }))).Message);
        Assert.Contains("no chat template", Assert.Throws<ArgumentException>(() => new LanguageModelChatClient(model, TinyDecoder.LoadTokenizer())).Message);
        Assert.Contains("'mine'", Assert.Throws<ArgumentException>(() => new LanguageModelChatClient(model, ChatSamples.Tokenizer, new() { TemplateName = "mine" })).Message);
    }

    [Fact]
    public async Task A_client_gives_what_it_is_made_of_and_disposes_what_it_has_read()
    {
        using var folder = new TemporaryFolder();
        using (CausalLanguageModel saved = ChatSamples.Model()) saved.Save(folder.Path);
        ChatSamples.Tokenizer.Save(folder.Path);
        int parameters = 0;
        LeakTests.AssertSteady(() =>
        {
            using IChatClient client = LanguageModelChatClient.Load(folder.Path);
            Assert.Equal(("mlcomponents", Path.GetFileName(folder.Path)), (client.GetService<ChatClientMetadata>()!.ProviderName, client.GetService<ChatClientMetadata>()!.DefaultModelId));
            Assert.Same(client, client.GetService<IChatClient>());
            parameters = 2 * client.GetService<CausalLanguageModel>()!.parameters().Count(); // those of the model without memory, too
            Assert.NotNull(client.GetService<PretrainedTokenizer>());
            Assert.Null(client.GetService<CausalLanguageModel>("key"));
            Assert.Null(client.GetService<string>());
            client.GetResponseAsync(s_question, new() { MaxOutputTokens = 2 }, Cancellation).GetAwaiter().GetResult();
        }, () => parameters);
        var disposed = LanguageModelChatClient.Load(folder.Path, new() { ModelId = "mine" });
        disposed.Dispose();
        Assert.Equal("mine", disposed.GetService(typeof(ChatClientMetadata)) is ChatClientMetadata metadata ? metadata.DefaultModelId : null);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Reply(disposed, s_question, null));
    }

    private static ChatClientSettings NoCache => new() { CachedTokens = 0 };

    private static async Task<ChatResponse> Reply(LanguageModelChatClient client, ChatMessage[] messages, ChatOptions? options) => await client.GetResponseAsync(messages, options, Cancellation);
}
