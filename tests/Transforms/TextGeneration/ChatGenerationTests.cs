using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Tokenization;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class ChatGenerationTests
{
    private static readonly GenerationConfig s_config = new() { DoSample = true, Seed = 3, MaxNewTokens = 10 };

    private readonly MLContext _ml = new(seed: 1);

    private TextGenerationTransformer Transformer(ChatPromptOptions chat, int? maxPromptLength = null, TruncationSide side = TruncationSide.End) =>
        Generators.Transformer(_ml, new() { Generation = s_config, Chat = chat, BatchSize = 4, MaxPromptLength = maxPromptLength, TruncationSide = side, TokenIdsColumnName = "Ids" }, chats: true);

    [Fact]
    public void A_conversation_is_the_system_prompt_the_examples_and_the_input()
    {
        using TextGenerationTransformer transformer = Transformer(new() { SystemPrompt = "be brief", Examples = [new("2+2", "4"), new("3+3", "6")] });
        AssertDirect(transformer, row => [("system", "be brief"), ("user", "2+2"), ("assistant", "4"), ("user", "3+3"), ("assistant", "6"), ("user", row.Text)]);
    }

    [Fact]
    public void System_prompt_and_examples_may_come_from_columns()
    {
        using TextGenerationTransformer transformer = Transformer(new() { SystemPromptColumnName = "System", Examples = [new("1", "2")], ExampleInputsColumnName = "Said", ExampleOutputsColumnName = "Answered" });
        AssertDirect(transformer, row =>
        [
            .. row.System.Length > 0 ? [("system", row.System)] : Array.Empty<(string, string)>(), ("user", "1"), ("assistant", "2"),
            .. row.Said.Zip(row.Answered).SelectMany(pair => new[] { ("user", pair.First), ("assistant", pair.Second) }), ("user", row.Text),
        ]);
    }

    [Fact]
    public void What_all_conversations_begin_with_is_read_once()
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        var options = new TextGenerationOptions { Generation = s_config, BatchSize = 4, Chat = new() { SystemPrompt = new string('s', 60) } };
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options, model, chats: true);
        int shared = Ids(transformer, [("system", options.Chat.SystemPrompt), ("user", "")]).Length - "\n<assistant>".Length;
        Assert.Equal(12, transformer.Transform(Generators.View(_ml, 12)).GetColumn<string>("Answer").Count());
        Assert.Equal(shared, counting.Prompts[0]);
        Assert.Equal(Generators.Rows(12).Select(row => row.Text.Length + "\n<assistant>".Length).Order(), counting.Prompts.Skip(1).Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_instruction_of_a_template_is_read_once(bool chats)
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        var options = new TextGenerationOptions { Generation = s_config, BatchSize = 4, Chat = chats ? new() { SystemPrompt = "brief" } : null, TokenIdsColumnName = "Ids" };
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options, model, chats), apart = Generators.Transformer(_ml, options, chats: chats);
        IDataView prompts = Generators.Instructed(_ml, 12);
        string[] found = [.. transformer.Transform(prompts).GetColumn<int[]>("Ids").Select(ids => string.Join(' ', ids))];
        (string before, string after) = chats ? ("<system>brief\n<user>", "\n<assistant>") : ("", "");
        Assert.Equal(before.Length + Generators.Instruction.Length, counting.Prompts[0]);
        Assert.Equal(Generators.Rows(12).Select(row => row.Text.Length + after.Length).Where(static length => length > 1).Order(), counting.Prompts.Skip(1).Order());
        Assert.Equal(apart.Transform(Generators.WithoutAnnotations(_ml, prompts)).GetColumn<int[]>("Ids").Select(ids => string.Join(' ', ids)), found);
    }

    [Fact]
    public void Without_a_cache_nothing_is_kept_of_an_instruction()
    {
        var options = new TextGenerationOptions { Generation = s_config with { UseCache = false }, BatchSize = 4 };
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options), apart = Generators.Transformer(_ml, options);
        IDataView prompts = Generators.Instructed(_ml, 3);
        Assert.Equal(apart.Transform(Generators.WithoutAnnotations(_ml, prompts)).GetColumn<string>("Answer"), transformer.Transform(prompts).GetColumn<string>("Answer"));
    }

    [Theory]
    [InlineData(TruncationSide.End, "<user>0123456789")]
    [InlineData(TruncationSide.Start, "<user>qrstuvwxyz")]
    [InlineData(TruncationSide.Middle, "<user>01234vwxyz")]
    public void A_long_input_is_cut_and_the_conversation_around_it_is_not(TruncationSide side, string expected)
    {
        const string Before = "<system>brief\n", After = "\n<assistant>";
        using TextGenerationTransformer transformer = Transformer(new() { SystemPrompt = "brief" }, Before.Length + expected.Length + After.Length, side);
        EncodedText encoded = transformer.Generator.Encode(new("0123456789abcdefghijklmnopqrstuvwxyz".AsMemory(), default, []));
        Assert.True(encoded.Truncated);
        Assert.Equal(Before + expected + After, transformer.Tokenizer.Decode(encoded.Ids, skipSpecialTokens: true));
    }

    [Fact]
    public void A_conversation_without_room_for_the_input_is_refused_with_its_length()
    {
        using TextGenerationTransformer transformer = Transformer(new() { SystemPrompt = new string('s', 50) }, maxPromptLength: 40);
        Assert.Contains("MaxPromptLength", Assert.Throws<InvalidOperationException>(() => transformer.Transform(Generators.View(_ml, 2)).GetColumn<string>("Answer").Count()).Message);
    }

    [Fact]
    public void Examples_without_answers_are_refused_with_their_row()
    {
        using TextGenerationTransformer transformer = Transformer(new() { ExampleInputsColumnName = "Said", ExampleOutputsColumnName = "Answered" });
        Generators.Row[] rows = Generators.Rows(3);
        rows[2].Answered = ["one"];
        string message = Assert.Throws<InvalidOperationException>(() => transformer.Transform(_ml.Data.LoadFromEnumerable(rows)).GetColumn<string>("Answer").Count()).Message;
        Assert.Contains("Row 2 has 2 texts in column 'Said' and 1 in 'Answered'", message);
    }

    private void AssertDirect(TextGenerationTransformer transformer, Func<Generators.Row, (string Role, string Content)[]> conversation)
    {
        string[] expected = [.. Generators.Rows(12).Select(row => string.Join(' ', Generators.Direct(transformer, Ids(transformer, conversation(row)), s_config).NewIds))];
        Assert.Equal(expected, transformer.Transform(Generators.View(_ml, 12)).GetColumn<int[]>("Ids").Select(ids => string.Join(' ', ids)));
    }

    private static int[] Ids(TextGenerationTransformer transformer, (string Role, string Content)[] messages) =>
        [.. transformer.Tokenizer.EncodeChat(new JsonArray([.. messages.Select(message => (JsonNode)new JsonObject { ["role"] = message.Role, ["content"] = message.Content })]), new ChatTemplateOptions { AddGenerationPrompt = true }).Ids];
}
