using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Tests.Transforms;

public class TextGenerationTests
{
    private static readonly GenerationConfig s_sampling = new() { DoSample = true, Temperature = 0.9, TopP = 0.95, Seed = 7, MaxNewTokens = 12, EosTokenIds = [(int)'q', (int)'e', 180, 200] };

    /// <summary>For restricted texts, whose end must be no byte of theirs.</summary>
    private static readonly GenerationConfig s_restricted = s_sampling with { EosTokenIds = [256] };

    private readonly MLContext _ml = new(seed: 1);

    private static TextGenerationOptions Options(GenerationConfig? generation = null) => new()
    {
        Generation = generation ?? s_sampling,
        BatchSize = 4,
        TokenIdsColumnName = "Ids",
        LogProbabilityColumnName = "LogProbability",
        FinishReasonColumnName = "Reason",
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_column_holds_what_the_engine_gives_when_it_is_called_for_each_row(bool samples)
    {
        TextGenerationOptions options = Options(s_sampling with { DoSample = samples });
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options);
        IDataView scored = transformer.Transform(Generators.View(_ml, 30));
        GeneratedSequence[] direct = [.. Generators.Rows(30).Select(row => Generators.Direct(transformer, transformer.Tokenizer.EncodeIds(row.Text), options.Generation))];
        Assert.Equal(direct.Select(sequence => string.Join(' ', sequence.NewIds)), scored.GetColumn<int[]>("Ids").Select(ids => string.Join(' ', ids)));
        Assert.Equal(direct.Select(sequence => transformer.Tokenizer.Decode([.. sequence.NewIds], skipSpecialTokens: true)), scored.GetColumn<string>("Answer"));
        Assert.Equal(direct.Select(sequence => sequence.FinishReason.ToString()), scored.GetColumn<string>("Reason"));
        foreach ((GeneratedSequence sequence, float found) in direct.Zip(scored.GetColumn<float>("LogProbability"))) Assert.Equal(sequence.LogProbabilities.Sum(), found, 1e-3f);
        Assert.Equal(["EndOfText", "Length"], scored.GetColumn<string>("Reason").Distinct().Order());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_row_gets_the_same_text_in_every_batch_every_order_and_alone(ScalarType dtype)
    {
        using TextGenerationTransformer one = Transformer(1), four = Transformer(4), many = Transformer(64);
        IDataView rows = Generators.View(_ml, 40), reversed = _ml.Data.LoadFromEnumerable(Generators.Rows(40).Reverse());
        List<object> expected = EstimatorContract.Values(one.Transform(rows), "Ids");
        Assert.Equal(expected, EstimatorContract.Values(four.Transform(rows), "Ids"));
        Assert.Equal(expected, EstimatorContract.Values(many.Transform(rows), "Ids"));
        Assert.Equal(Enumerable.Reverse(expected), EstimatorContract.Values(four.Transform(reversed), "Ids"));
        Assert.Equal(expected.Skip(10).Take(3), EstimatorContract.Values(many.Transform(_ml.Data.TakeRows(_ml.Data.SkipRows(rows, 10), 3)), "Ids"));

        TextGenerationTransformer Transformer(int batchSize)
        {
            TextGenerationOptions options = Options();
            (options.BatchSize, options.LookAhead) = (batchSize, 3 * batchSize);
            return Generators.Transformer(_ml, options, Generators.Model(dtype));
        }
    }

    [Fact]
    public void Another_seed_gives_other_texts_and_no_seed_gives_the_same_ones_again()
    {
        using TextGenerationTransformer one = Generators.Transformer(_ml, Options()), other = Generators.Transformer(_ml, Options(s_sampling with { Seed = 8 })), none = Generators.Transformer(_ml, Options(s_sampling with { Seed = null }));
        IDataView rows = Generators.View(_ml, 10);
        Assert.NotEqual(EstimatorContract.Values(one.Transform(rows), "Answer"), EstimatorContract.Values(other.Transform(rows), "Answer"));
        Assert.Equal(EstimatorContract.Values(none.Transform(rows), "Answer"), EstimatorContract.Values(none.Transform(rows), "Answer"));
    }

    [Fact]
    public void A_beam_search_goes_row_by_row()
    {
        var config = new GenerationConfig { NumBeams = 3, MaxNewTokens = 6, EosTokenIds = [(int)'q'] };
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, Options(config));
        GeneratedSequence[] direct = [.. Generators.Rows(6).Select(row => Generators.Direct(transformer, transformer.Tokenizer.EncodeIds(row.Text), config))];
        Assert.Equal(direct.Select(sequence => string.Join(' ', sequence.NewIds)), transformer.Transform(Generators.View(_ml, 6)).GetColumn<int[]>("Ids").Select(ids => string.Join(' ', ids)));
    }

    [Fact]
    public void A_text_goes_up_to_its_stop_string()
    {
        using TextGenerationTransformer free = Generators.Transformer(_ml, Options(new() { MaxNewTokens = 12 }));
        IDataView rows = Generators.View(_ml, 12);
        string[] texts = [.. free.Transform(rows).GetColumn<string>("Answer")];
        string stop = texts[0][3..5];
        using TextGenerationTransformer stopping = Generators.Transformer(_ml, Options(new() { MaxNewTokens = 12, StopStrings = [stop] }));
        IDataView stopped = stopping.Transform(rows);
        int StartOf(string text) => text.IndexOf(stop, StringComparison.Ordinal);
        Assert.Equal(texts.Select(text => StartOf(text) < 0 ? text : text[..StartOf(text)]), stopped.GetColumn<string>("Answer"));
        Assert.Equal(texts.Select(text => StartOf(text) < 0 ? "Length" : "StopString"), stopped.GetColumn<string>("Reason"));
    }

    [Fact]
    public void Choices_give_a_key_whose_values_are_the_choices()
    {
        TextGenerationOptions options = Options(s_restricted);
        options.Choices = ["refund", "repair", "re", "Übergabe"];
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options);
        IDataView scored = transformer.Transform(Generators.View(_ml, 40));
        Assert.Equal(4UL, Assert.IsType<KeyDataViewType>(scored.Schema["Answer"].Type).Count);
        IDataView named = _ml.Transforms.Conversion.MapKeyToValue("Name", "Answer").Fit(scored).Transform(scored);
        string[] names = [.. named.GetColumn<string>("Name")];
        Assert.All(names, name => Assert.Contains(name, options.Choices));
        Assert.True(names.Distinct().Count() > 1);
        uint[] keys = [.. scored.GetColumn<uint>("Answer")];
        Assert.Equal(names, keys.Select(key => options.Choices[(int)key - 1]));
    }

    [Fact]
    public void A_schema_gives_texts_that_parse_and_columns_of_required_properties()
    {
        TextGenerationOptions options = Options(s_restricted with { MaxNewTokens = 100 });
        options.JsonSchema = """
            {"type": "object", "required": ["name", "count", "price", "urgent", "tags"], "properties": {
              "name": {"type": "string", "maxLength": 4}, "count": {"type": "integer", "minimum": -5, "maximum": 120}, "price": {"type": "number", "minimum": 0, "maximum": 9},
              "urgent": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2}, "note": {"type": "boolean"}}}
            """;
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options);
        IDataView scored = transformer.Transform(Generators.View(_ml, 25));
        Assert.Equal(["Answer", "Answer.name", "Answer.count", "Answer.price", "Answer.urgent", "Ids", "LogProbability", "Reason"], scored.Schema.Select(column => column.Name).Skip(6));
        JsonElement[] parsed = [.. scored.GetColumn<string>("Answer").Select(text => JsonElement.Parse(text))];
        Assert.Equal(parsed.Select(json => json.GetProperty("name").GetString()), scored.GetColumn<string>("Answer.name"));
        Assert.Equal(parsed.Select(json => json.GetProperty("count").GetInt64()), scored.GetColumn<long>("Answer.count"));
        Assert.Equal(parsed.Select(json => json.GetProperty("price").GetDouble()), scored.GetColumn<double>("Answer.price"));
        Assert.Equal(parsed.Select(json => json.GetProperty("urgent").GetBoolean()), scored.GetColumn<bool>("Answer.urgent"));
        Assert.True(parsed.Select(json => json.GetRawText()).Distinct().Count() > 5);
    }

    [Fact]
    public void A_regular_expression_is_matched_by_every_text()
    {
        TextGenerationOptions options = Options(s_restricted);
        options.Regex = "[A-C]{2}-[0-9]{1,4}";
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options);
        Assert.All(transformer.Transform(Generators.View(_ml, 20)).GetColumn<string>("Answer"), text => Assert.Matches("^[A-C]{2}-[0-9]{1,4}$", text));
    }

    [Fact]
    public void A_transformer_keeps_the_contract_of_estimators_in_every_form()
    {
        TextGenerationOptions plain = Options(), chat = Options(), choices = Options(s_restricted), json = Options(s_restricted with { MaxNewTokens = 40 });
        chat.Chat = new() { SystemPromptColumnName = "System", Examples = [new("a", "b")], ExampleInputsColumnName = "Said", ExampleOutputsColumnName = "Answered" };
        choices.Choices = ["x", "yz"];
        json.JsonSchema = """{"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}, "b": {"type": "boolean"}}, "required": ["a", "b"]}""";
        IDataView mistyped = _ml.Transforms.CopyColumns("Text", "Number").Fit(Generators.View(_ml, 2)).Transform(Generators.View(_ml, 2));
        foreach (TextGenerationOptions options in new[] { plain, chat, choices, json })
        {
            using TextGenerationTransformer transformer = Generators.Transformer(_ml, options, chats: true);
            EstimatorContract.CheckTransformer(_ml, transformer, Generators.View(_ml, 6), mistyped, _ml.Data.LoadFromEnumerable([new { Id = 1 }]));
        }

        using TextGenerationTransformer strict = Generators.Transformer(_ml, chat, chats: true);
        IDataView scalar = _ml.Transforms.CopyColumns("Said", "Text").Fit(Generators.View(_ml, 2)).Transform(Generators.View(_ml, 2));
        Assert.Contains("'Said'", Assert.Throws<ArgumentOutOfRangeException>(() => strict.Transform(scalar)).Message);
    }

    [Fact]
    public void A_view_on_which_nothing_is_asked_for_runs_no_model_and_a_row_runs_only_those_beside_it()
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        TextGenerationOptions options = Options(s_sampling with { EosTokenIds = null });
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options, model);
        IDataView scored = transformer.Transform(Generators.View(_ml, 100));
        Assert.Equal(100, scored.GetColumn<int>("Id").Count());
        Assert.Empty(counting.Prompts);
        Assert.Single(_ml.Data.TakeRows(scored, 1).GetColumn<string>("Answer"));
        Assert.InRange(counting.Steps.Count, 1, 12);
        Assert.All(counting.Steps, rows => Assert.InRange(rows, 1, 4));
    }

    [Fact]
    public void The_batch_stays_full_over_many_rows()
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        TextGenerationOptions options = Options();
        options.BatchSize = 8;
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options, model);
        Assert.Equal(300, transformer.Transform(Generators.View(_ml, 300)).GetColumn<string>("Answer").Count());
        int last = counting.Steps.LastIndexOf(8);
        Assert.InRange(counting.Steps.Count - last, 0, 24); // what is left when no row waits any more
        Assert.InRange(counting.Steps.Take(last).Average(), 6.5, 8); // a text leaves with the step that ends it, the next one joins the step after it
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Cancelling_ends_generation_within_a_batch(bool byContext)
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        using var source = new CancellationTokenSource();
        TextGenerationOptions options = Options(s_sampling with { EosTokenIds = null, MaxNewTokens = 100 });
        options.CancellationToken = source.Token;
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options, model);
        counting.Reading = () =>
        {
            if (counting.Steps.Count != 10) return;
            if (byContext) typeof(MLContext).GetMethod("CancelExecution", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public)!.Invoke(_ml, null);
            else source.Cancel();
        };
        IDataView scored = transformer.Transform(Generators.View(_ml, 20));
        Assert.ThrowsAny<OperationCanceledException>(() => scored.GetColumn<string>("Answer").Count());
        Assert.InRange(counting.Steps.Count, 10, 11);
    }

    [Fact]
    public void Long_prompts_are_cut_counted_and_told()
    {
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        _ml.Log += (_, message) => messages.Enqueue(message.Message);
        TextGenerationOptions options = Options();
        (options.MaxPromptLength, options.TruncationSide) = (20, TruncationSide.Start);
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, options);
        Generators.Row[] rows = Generators.Rows(30);
        string[] found = [.. transformer.Transform(_ml.Data.LoadFromEnumerable(rows)).GetColumn<string>("Answer")];
        foreach (Generators.Row row in rows) row.Text = row.Text[Math.Max(0, row.Text.Length - 20)..];
        Assert.Equal([.. transformer.Transform(_ml.Data.LoadFromEnumerable(rows)).GetColumn<string>("Answer")], found);
        string warning = Assert.Single(messages, message => message.Contains("were cut", StringComparison.Ordinal));
        Assert.Contains($"{Generators.Rows(30).Count(row => row.Text.Length > 20)} of 30 prompts of column 'Text' had more than 20 tokens", warning);
    }

    [Fact]
    public void Wrong_options_are_refused_by_name()
    {
        Refused<ArgumentOutOfRangeException>("BatchSize", options => options.BatchSize = 0);
        Refused<ArgumentOutOfRangeException>("LookAhead", options => options.LookAhead = 0);
        Refused<ArgumentOutOfRangeException>("MaxPromptLength", options => options.MaxPromptLength = 0);
        Refused<ArgumentOutOfRangeException>("max_position_embeddings", options => options.MaxPromptLength = Generators.Context);
        Refused<ArgumentOutOfRangeException>("max_position_embeddings", options => options.Generation = new() { MaxNewTokens = Generators.Context });
        Refused<ArgumentException>("MaxNewTokens", options => options.Generation = new() { MaxLength = 30 });
        Refused<ArgumentException>("NumReturnSequences", options => options.Generation = new() { NumReturnSequences = 2, DoSample = true });
        Refused<ArgumentException>("Choices and Regex", options => (options.Choices, options.Regex) = (["a"], "b"));
        Refused<ArgumentException>("Choices", options => options.Choices = []);
        Refused<ArgumentException>("twice", options => options.Choices = ["a", "b", "a"]);
        Refused<ArgumentException>("StopStrings", options => (options.Regex, options.Generation) = ("a+", new() { StopStrings = ["b"] }));
        Refused<ArgumentException>("NumBeams", options => (options.Regex, options.Generation) = ("a+", new() { NumBeams = 2, MaxNewTokens = 9 }));
        Refused<ArgumentException>("at most", options => (options.Regex, options.JsonSchema) = ("a+", "{}"));
        Refused<ArgumentException>("shortest text", options => (options.Regex, options.Generation) = ("a{30}", new() { MaxNewTokens = 9 }));
        Refused<FormatException>("not valid JSON", options => options.JsonSchema = "{");
        Refused<NotSupportedException>("(?=", options => options.Regex = "(?=a)b");
        Refused<ArgumentException>("'Answer'", options => options.FinishReasonColumnName = "Answer");
        Refused<ArgumentException>("SystemPromptColumnName", options => options.Chat = new() { SystemPrompt = "a", SystemPromptColumnName = "b" });
        Refused<ArgumentException>("ExampleOutputsColumnName", options => options.Chat = new() { ExampleInputsColumnName = "a" });
        Refused<InvalidOperationException>("no chat template", options => options.Chat = new());

        void Refused<TError>(string named, Action<TextGenerationOptions> change)
            where TError : Exception
        {
            TextGenerationOptions options = Options();
            change(options);
            Assert.Contains(named, Assert.ThrowsAny<TError>(() => Generators.Transformer(_ml, options).Dispose()).Message);
        }
    }

    [Fact]
    public void Cursors_on_several_threads_read_the_same()
    {
        using TextGenerationTransformer transformer = Generators.Transformer(_ml, Options());
        IDataView scored = transformer.Transform(Generators.View(_ml, 30));
        List<object> expected = EstimatorContract.Values(scored, "Ids");
        Parallel.For(0, 4, _ => Assert.Equal(expected, EstimatorContract.Values(scored, "Ids")));
    }

    [Fact]
    public void Nothing_is_left_behind_even_by_cursors_that_are_left()
    {
        TextGenerationOptions options = Options();
        options.Chat = new() { SystemPrompt = "be brief" };
        long Live() => TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        long before = Live();
        using (TextGenerationTransformer transformer = Generators.Transformer(_ml, options, chats: true))
        {
            IDataView scored = transformer.Transform(Generators.View(_ml, 20));
            Assert.Equal(20, scored.GetColumn<string>("Answer").Count());
            long warm = Live();
            Assert.Equal(20, scored.GetColumn<string>("Answer").Count());
            Assert.Equal(2, _ml.Data.TakeRows(scored, 2).GetColumn<string>("Answer").Count());
            Assert.Equal(warm, Live());
        }

        Assert.Equal(before, Live());
    }

    [Fact]
    public void A_disposed_transformer_says_so()
    {
        TextGenerationTransformer transformer = Generators.Transformer(_ml, Options());
        IDataView scored = transformer.Transform(Generators.View(_ml, 2));
        transformer.Dispose();
        transformer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => scored.GetColumn<string>("Answer").Count());
        Assert.Throws<ObjectDisposedException>(() => _ml.Model.Save(transformer, scored.Schema, Stream.Null));
    }
}
