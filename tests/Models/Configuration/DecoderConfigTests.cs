using System.Text;
using MLComponents.Testing;

namespace MLComponents.Models.Tests;

public class DecoderConfigTests
{
    public static TheoryData<string, string, string> BrokenValues() => new()
    {
        { "\"hidden_size\": 24", "\"hidden_size\": 25", "not divisible by num_attention_heads 6" },
        { "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4", "num_key_value_heads 4" },
        { "\"vocab_size\": 60, ", "", "vocab_size is missing" },
        { "\"hidden_size\": 24", "\"hidden_size\": null", "hidden_size is missing" },
        { "\"hidden_size\": 24", "\"hidden_size\": \"24\"", "hidden_size is \"24\"; expected an integer" },
        { "\"hidden_size\": 24", "\"hidden_size\": 24.5", "expected an integer" },
        { "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 0", "num_hidden_layers is 0" },
        { "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2147483647, \"use_sliding_window\": true", "num_hidden_layers is 2147483647; expected from 1 to 4096" },
        { "\"vocab_size\": 60", "\"vocab_size\": 16777217", "vocab_size is 16777217; expected from 1 to 16777216" },
        { "\"intermediate_size\": 40", "\"intermediate_size\": 2147483647", "intermediate_size is 2147483647" },
        { "\"pad_token_id\": 0", "\"head_dim\": 16000000", "num_attention_heads * head_dim is 96000000" },
        { "\"pad_token_id\": 0", "\"num_labels\": -1", "num_labels is -1" },
        { "\"pad_token_id\": 0", "\"num_labels\": 2147483647", "num_labels is 2147483647" },
        { "\"pad_token_id\": 0", "\"pad_token_id\": 60", "pad_token_id is 60" },
        { "\"pad_token_id\": 0", "\"attention_dropout\": 1.0", "attention_dropout is 1" },
        { "\"pad_token_id\": 0", "\"problem_type\": \"ranking\"", "problem_type is \"ranking\"" },
        { "\"pad_token_id\": 0", "\"problem_type\": \"single_label_classification\", \"num_labels\": 1", "one label" },
        { "\"pad_token_id\": 0", "\"id2label\": {\"0\": \"a\", \"2\": \"b\"}", "without a gap" },
        { "\"pad_token_id\": 0", "\"rope_scaling\": {\"type\": \"yarn\"}", "factor is missing" },
        { "\"pad_token_id\": 0", "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5}", "rope factor is 0.5" },
        { "\"pad_token_id\": 0", "\"rope_scaling\": {\"type\": \"longrope\", \"short_factor\": [1], \"long_factor\": [1, 2]}", "short_factor has 1" },
        { "\"pad_token_id\": 0", "\"rope_scaling\": [1]", "rope_scaling is [1]" },
        { "\"pad_token_id\": 0", "\"rope_theta\": 0", "rope_theta is 0" },
        { "\"pad_token_id\": 0", "\"use_sliding_window\": true, \"sliding_window\": 0", "sliding_window is 0" },
        { "\"pad_token_id\": 0", "\"use_sliding_window\": true, \"layer_types\": [\"full_attention\"]", "layer_types has 1" },
        { "\"model_type\": \"qwen2\", ", "", "model_type is missing" },
    };

    public static TheoryData<string, string, string> UnknownValues() => new()
    {
        { "\"qwen2\"", "\"qwen2x\"", "supported are" },
        { "\"pad_token_id\": 0", "\"hidden_act\": \"mish\"", "'mish'" },
        { "\"pad_token_id\": 0", "\"rope_scaling\": {\"type\": \"spiral\", \"factor\": 2}", "\"spiral\"" },
        { "\"pad_token_id\": 0", "\"torch_dtype\": \"int4\"", "\"int4\"" },
        { "\"pad_token_id\": 0", "\"quantization_config\": {\"bits\": 4}", "quantization_config" },
        { "\"pad_token_id\": 0", "\"use_sliding_window\": true, \"layer_types\": [\"full_attention\", \"ring\", \"ring\"]", "\"ring\"" },
    };

    public static IEnumerable<TheoryDataRow<string>> Fixtures() =>
        from folder in ParityFolder.WithFile(ModelFolder.WeightsName)
        where folder.WhyNot is null
        from path in Directory.EnumerateFiles(ParityFolder.PathOf(folder.Name), "config*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        select new TheoryDataRow<string>(Path.GetRelativePath(TestPaths.Fixtures, path));

    [Theory]
    [MemberData(nameof(BrokenValues))]
    public void An_impossible_value_is_refused_with_its_key(string found, string replaced, string inMessage)
    {
        string json = ModelSamples.Json();
        Assert.Contains(found, json);

        var exception = Assert.Throws<FormatException>(() => DecoderConfig.Parse(Encoding.UTF8.GetBytes(json.Replace(found, replaced)), "some/config.json"));

        Assert.StartsWith("some/config.json", exception.Message);
        Assert.Contains(inMessage, exception.Message);
    }

    [Theory]
    [MemberData(nameof(UnknownValues))]
    public void An_unknown_name_is_refused_with_those_that_are_known(string found, string replaced, string inMessage)
    {
        var exception = Assert.Throws<NotSupportedException>(() => DecoderConfig.Parse(Encoding.UTF8.GetBytes(ModelSamples.Json().Replace(found, replaced))));

        Assert.Contains(inMessage, exception.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"model_type\": \"qwen2\", ")]
    [InlineData("[1]")]
    [InlineData("null")]
    public void What_is_not_a_JSON_object_is_refused(string json) =>
        Assert.Contains("config.json", Assert.Throws<FormatException>(() => DecoderConfig.Parse(Encoding.UTF8.GetBytes(json))).Message);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Fixtures))]
    public void A_configuration_is_the_same_after_it_was_written_and_read(string file)
    {
        DecoderConfig config = DecoderConfig.Load(ParityFolder.PathOf(file));

        foreach (ModelHead head in new[] { ModelHead.SequenceClassification, ModelHead.TokenClassification })
            Assert.Equal(config, DecoderConfig.Parse(config.ToJson(head)));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Fixtures))]
    public void Old_and_new_spellings_say_the_same(string file)
    {
        string folder = Path.GetDirectoryName(ParityFolder.PathOf(file))!;

        Assert.Equal(DecoderConfig.Load(folder), DecoderConfig.Load(ParityFolder.PathOf(file)));
    }

    [Theory]
    [InlineData("linear", """{"type": "linear", "factor": 4.0}""")]
    [InlineData("dynamic", """{"rope_type": "dynamic", "factor": 2.0}""")]
    [InlineData("yarn", """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 16, "mscale": 1.0, "mscale_all_dim": 0.8, "truncate": false}""")]
    [InlineData("longrope", """{"type": "su", "short_factor": [1, 1.5], "long_factor": [2, 3], "original_max_position_embeddings": 32, "attention_factor": 1.2}""")]
    [InlineData("llama3", """{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 32}""")]
    public void Every_kind_of_rotary_embedding_survives_writing_and_reading(string type, string scaling)
    {
        DecoderConfig config = ModelSamples.Config($", \"rope_theta\": 5000, \"rope_scaling\": {scaling}");

        Assert.Equal(type, config.Rope.TypeName);
        Assert.Equal(5000, config.Rope.Theta);
        Assert.Equal(config, DecoderConfig.Parse(config.ToJson()));
    }

    [Fact]
    public void Layers_from_max_window_layers_on_slide_unless_layer_types_says_otherwise()
    {
        const string Window = ", \"use_sliding_window\": true, \"sliding_window\": 4, \"max_window_layers\": 2";

        Assert.Equal([false, false, true], ModelSamples.Config(Window).SlidingLayers);
        Assert.Equal(
            [true, false, false],
            ModelSamples.Config(Window + """, "layer_types": ["sliding_attention", "full_attention", "full_attention"]""").SlidingLayers);
        Assert.Null(ModelSamples.Config(Window.Replace("true", "false")).SlidingWindow);
    }

    [Fact]
    public void What_the_config_json_of_the_family_cannot_say_is_refused_instead_of_lost()
    {
        DecoderConfig config = ModelSamples.Config();
        (string Name, DecoderConfig Config)[] changed =
        [
            (nameof(config.Norm), config with { Norm = NormKind.Layer }),
            (nameof(config.QueryKeyValueBias), config with { QueryKeyValueBias = false }),
            (nameof(config.AttentionOutputBias), config with { AttentionOutputBias = true }),
            (nameof(config.FeedForwardBias), config with { FeedForwardBias = true }),
            (nameof(config.LanguageModelHeadBias), config with { LanguageModelHeadBias = true }),
            (nameof(config.FrozenPaddingRow), config with { FrozenPaddingRow = false }),
        ];

        foreach (var (name, other) in changed)
        {
            Assert.StartsWith($"{name} is ", Assert.Throws<NotSupportedException>(() => other.ToJson()).Message);
            Assert.StartsWith($"{name} is ", Assert.Throws<NotSupportedException>(() => new CausalLanguageModel(other, seed: 1)).Message);
        }
    }

    [Fact]
    public void Several_end_tokens_and_label_names_survive()
    {
        DecoderConfig config = ModelSamples.Config().With("""{"0": "späť", "1": "b", "2": "c"}""");

        Assert.Equal([2, 5], config.EosTokenIds);
        Assert.Equal(["späť", "b", "c"], config.LabelNames);
        Assert.Equal(config, DecoderConfig.Parse(config.ToJson(ModelHead.SequenceClassification)));
    }
}

file static class ConfigSamples
{
    public static DecoderConfig With(this DecoderConfig config, string labels) =>
        DecoderConfig.Parse(Encoding.UTF8.GetBytes(ModelSamples.Json($", \"id2label\": {labels}").Replace("\"eos_token_id\": 2", "\"eos_token_id\": [2, 5]")))
            with { MaxPositions = config.MaxPositions };
}
