using System.Text;
using System.Text.Json.Nodes;

namespace MLComponents.Models.Tests;

/// <summary>adapter_config.json.</summary>
public class AdapterConfigTests
{
    private const string Source = "here/adapter_config.json";

    [Fact]
    public void What_an_older_or_newer_PEFT_has_written_is_read_and_its_unknown_keys_are_kept()
    {
        AdapterConfig config = Parse(
            """
            {"peft_type": "LORA", "r": 16, "lora_alpha": 16.5, "lora_dropout": 0.05, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM",
             "inference_mode": false, "enable_lora": null, "merge_weights": false, "fan_in_fan_out": true, "use_something": {"x": [1, 2]}, "some_other": null,
             "init_lora_weights": "eva", "eva_config": {"rho": 2.0}, "layers_to_transform": 1, "layers_pattern": ["layers"], "rank_pattern": null}
            """);
        LoraOptions options = config.Options;
        Assert.Equal((16, 16.5, 0.05, "CAUSAL_LM"), (options.Rank, options.Alpha, options.Dropout, config.TaskType));
        Assert.Equal(["q_proj"], options.TargetModules!);
        Assert.Equal([1], options.LayersToTransform!);
        Assert.Equal(["layers"], options.LayersPattern!);
        Assert.Equal(["fan_in_fan_out", "use_something"], config.Ignored.Order());

        JsonObject written = JsonNode.Parse(config.ToJson())!.AsObject();
        Assert.Equal("""{"x":[1,2]}""", written["use_something"]!.ToJsonString());
        Assert.Equal("\"eva\"", written["init_lora_weights"]!.ToJsonString());
        Assert.Equal("1", written["layers_to_transform"]!.ToJsonString());
        Assert.Equal("[\"layers\"]", written["layers_pattern"]!.ToJsonString());
        Assert.Equal("16.5", written["lora_alpha"]!.ToJsonString());
        Assert.True(written["inference_mode"]!.GetValue<bool>());
        Assert.Equal(written.Select(pair => pair.Key).Order(StringComparer.Ordinal), written.Select(pair => pair.Key));
    }

    [Fact]
    public void Defaults_are_PEFTs()
    {
        LoraOptions read = Parse("""{"peft_type": "LORA"}""").Options, fresh = new();
        Assert.Equal((8, 8.0, 0.0, LoraBias.None), (read.Rank, read.Alpha, read.Dropout, read.Bias));
        Assert.Equal((fresh.Rank, fresh.Alpha, fresh.Dropout, fresh.Bias), (read.Rank, read.Alpha, read.Dropout, read.Bias));
        Assert.False(read.UseDora || read.UseRankStabilized);
        Assert.Null(read.TargetModules);
        Assert.Equal(LoraInitialization.Default, read.Initialization);
    }

    [Fact]
    public void Everything_that_options_say_is_written_and_read_again()
    {
        var options = new LoraOptions
        {
            Rank = 3, Alpha = 0.25, Dropout = 0.00001, TargetModules = @".*\.""q_proj""", ExcludeModules = ["a", "ü"], UseDora = true, UseRankStabilized = true, Bias = LoraBias.LoraOnly,
            ModulesToSave = ["score"], RankPattern = new() { ["b"] = 2, ["a"] = 1 }, AlphaPattern = new() { ["c"] = 1.5, ["d"] = 2 },
            Initialization = LoraInitialization.Gaussian, BaseModel = "org/name",
        };
        byte[] json = new AdapterConfig(options, "SEQ_CLS", new Dictionary<string, string>(), []).ToJson();
        AdapterConfig again = AdapterConfig.Parse(json, Source);
        LoraOptions read = again.Options;
        Assert.Equal((3, 0.25, 0.00001, true, true), (read.Rank, read.Alpha, read.Dropout, read.UseDora, read.UseRankStabilized));
        Assert.Equal(options.TargetModules, read.TargetModules);
        Assert.Equal(options.ExcludeModules, read.ExcludeModules);
        Assert.Equal((LoraBias.LoraOnly, LoraInitialization.Gaussian, "org/name", "SEQ_CLS"), (read.Bias, read.Initialization, read.BaseModel, again.TaskType));
        Assert.Equal(options.ModulesToSave, read.ModulesToSave);
        Assert.Equal(options.RankPattern, read.RankPattern);
        Assert.Equal(options.AlphaPattern, read.AlphaPattern);
        Assert.Equal(json, again.ToJson());
        Assert.Contains("\"lora_dropout\": 1e-05", Encoding.UTF8.GetString(json), StringComparison.Ordinal);
        Assert.Contains("\"d\": 2\n", Encoding.UTF8.GetString(json), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Unsupported() => new()
    {
        { """, "use_qalora": true""", "use_qalora is true" },
        { """, "use_bdlora": {"blocks": 2}""", "use_bdlora" },
        { """, "megatron_config": {"a": 1}""", "megatron_config" },
        { """, "alora_invocation_tokens": [1]""", "alora_invocation_tokens is [1]" },
        { """, "trainable_token_indices": [5]""", "trainable_token_indices" },
        { """, "target_parameters": ["mlp.experts"]""", "target_parameters" },
        { """, "layer_replication": [[0, 2]]""", "layer_replication" },
        { """, "lora_bias": true""", "lora_bias is true" },
        { """, "arrow_config": {"top_k": 1}""", "arrow_config" },
        { """, "ensure_weight_tying": true""", "ensure_weight_tying" },
        { """, "init_lora_weights": "pissa" """, "init_lora_weights is \"pissa\"" },
        { """, "init_lora_weights": "pissa_niter_4" """, "init_lora_weights" },
        { """, "init_lora_weights": "olora" """, "init_lora_weights" },
        { """, "init_lora_weights": "loftq" """, "init_lora_weights" },
    };

    [Theory]
    [MemberData(nameof(Unsupported))]
    public void What_is_not_supported_is_refused_by_name(string more, string expected)
    {
        NotSupportedException error = Assert.Throws<NotSupportedException>(() => Parse($$"""{"peft_type": "LORA", "target_modules": ["q_proj"]{{more}}}"""));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(Source, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_kind_of_adapter_is_refused_by_name() =>
        Assert.Contains("IA3", Assert.Throws<NotSupportedException>(() => Parse("""{"peft_type": "IA3"}""")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("{\"peft_type\": \"LORA\"", "not valid JSON")]
    [InlineData("[]", "JSON object")]
    [InlineData("{}", "peft_type is missing")]
    [InlineData("""{"peft_type": "LORA", "r": "8"}""", "r is \"8\"")]
    [InlineData("""{"peft_type": "LORA", "r": 0}""", "Rank is 0")]
    [InlineData("""{"peft_type": "LORA", "r": 2000000000}""", "Rank is 2000000000")]
    [InlineData("""{"peft_type": "LORA", "target_modules": 3}""", "target_modules is 3")]
    [InlineData("""{"peft_type": "LORA", "target_modules": [3]}""", "target_modules is [3]")]
    [InlineData("""{"peft_type": "LORA", "target_modules": ""}""", "target_modules is \"\"")]
    [InlineData("""{"peft_type": "LORA", "bias": "some"}""", "bias is \"some\"")]
    [InlineData("""{"peft_type": "LORA", "rank_pattern": {"a": "b"}}""", "rank_pattern of \"a\"")]
    [InlineData("""{"peft_type": "LORA", "rank_pattern": {"a": 1.5}}""", "expected an integer")]
    [InlineData("""{"peft_type": "LORA", "rank_pattern": [1]}""", "rank_pattern is [1]")]
    [InlineData("""{"peft_type": "LORA", "lora_dropout": 1.0}""", "Dropout is 1")]
    [InlineData("""{"peft_type": "LORA", "use_dora": "yes"}""", "use_dora is \"yes\"")]
    [InlineData("""{"peft_type": "LORA", "modules_to_save": "score"}""", "modules_to_save is \"score\"")]
    [InlineData("""{"peft_type": "LORA", "layers_to_transform": ["a"]}""", "layers_to_transform")]
    public void A_broken_file_is_refused_with_what_was_found(string json, string expected)
    {
        FormatException error = Assert.Throws<FormatException>(() => Parse(json));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(Source, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_can_be_read_without_a_model()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<FileNotFoundException>(() => LoraOptions.Load(folder.Path));
        File.WriteAllText(folder["adapter_config.json"], """{"peft_type": "LORA", "base_model_name_or_path": "some/base", "r": 5}""");
        LoraOptions options = LoraOptions.Load(folder.Path);
        Assert.Equal(("some/base", 5), (options.BaseModel, options.Rank));
    }

    private static AdapterConfig Parse(string json) => AdapterConfig.Parse(Encoding.UTF8.GetBytes(json), Source);
}
