using System.Text;
using System.Text.Json;

namespace MLComponents.Models.Tests;

public class GenerationConfigTests
{
    private const string Everything = """
        {
          "max_length": 30, "max_new_tokens": 12, "min_length": 3, "min_new_tokens": 2, "max_time": 1.5, "stop_strings": ["a", "b"], "do_sample": true, "num_beams": 4,
          "num_beam_groups": 2, "diversity_penalty": 0.5, "early_stopping": "never", "length_penalty": -1.0, "force_words_ids": [[[3, 4]], [[5], [6, 7]]],
          "penalty_alpha": 0.6, "prompt_lookup_num_tokens": 10, "max_matching_ngram_size": 3, "num_assistant_tokens": 5,
          "num_assistant_tokens_schedule": "heuristic", "assistant_confidence_threshold": 0.3, "use_cache": false, "prefill_chunk_size": 64, "temperature": 0.7, "top_k": 0, "top_p": 0.9,
          "min_p": 0.1, "typical_p": 0.8, "epsilon_cutoff": 0.01, "eta_cutoff": 0.02, "top_h": 0.4, "repetition_penalty": 1.3, "encoder_repetition_penalty": 1.1,
          "no_repeat_ngram_size": 2, "encoder_no_repeat_ngram_size": 3, "bad_words_ids": [[7], [8, 9]], "sequence_bias": [[[7], 3.0], [[26, 9], -2.5]],
          "forced_bos_token_id": 1, "forced_eos_token_id": 2, "exponential_decay_length_penalty": [3, 1.8], "suppress_tokens": [4, 5], "begin_suppress_tokens": [6, 8],
          "remove_invalid_values": true, "renormalize_logits": true, "guidance_scale": 1.5,
          "watermarking_config": {"greenlist_ratio": 0.3, "bias": 2.5, "hashing_key": 99, "seeding_scheme": "selfhash", "context_width": 2},
          "token_healing": true, "num_return_sequences": 3, "output_scores": true, "output_logits": false, "pad_token_id": 0, "bos_token_id": 1,
          "eos_token_id": [2, 3], "chat_format": "chatml", "transformers_version": "5.23.0"
        }
        """;

    [Fact]
    public void All_keys_are_read_and_written_back()
    {
        GenerationConfig config = Parse(Everything);

        Assert.Equal(JsonSerializer.Serialize(JsonDocument.Parse(Everything)), JsonSerializer.Serialize(JsonDocument.Parse(config.ToJson())));
        Assert.Equal(config, GenerationConfig.Parse(config.ToJson()));
        Assert.Equal(["chat_format", "transformers_version"], config.OtherKeys.Select(pair => pair.Key));
        Assert.Equal(TimeSpan.FromSeconds(1.5), config.MaxTime);
        Assert.Equal([3, 4], config.ForceWordsIds![0][0]);
        Assert.Equal(new Watermark { GreenlistRatio = 0.3, Bias = 2.5, HashingKey = 99, SelfHash = true, ContextWidth = 2 }, config.Watermark);
    }

    [Fact]
    public void Every_property_has_a_key()
    {
        GenerationConfig config = Parse(Everything);
        Assert.DoesNotContain(typeof(GenerationConfig).GetProperties(), property => property.Name != nameof(GenerationConfig.Seed) && property.GetValue(config) is null);
    }

    [Fact]
    public void What_one_configuration_does_not_say_another_one_says()
    {
        GenerationConfig all = Parse(Everything);

        Assert.Equal(all, new GenerationConfig().Over(all));
        Assert.Equal(all, all.Over(new GenerationConfig { MaxLength = 7, Seed = null, DoSample = false }));
        GenerationConfig mixed = new GenerationConfig { Temperature = 2, EosTokenIds = [9], Seed = 4 }.Over(all);
        Assert.Equal(all with { Temperature = 2, EosTokenIds = [9], Seed = 4 }, mixed);
    }

    [Fact]
    public void A_null_says_nothing_and_one_id_is_as_good_as_a_list()
    {
        GenerationConfig config = Parse("""{"temperature": null, "eos_token_id": 5, "early_stopping": true, "force_words_ids": [[3, 4]], "stop_strings": "x", "max_length": 20.0}""");

        Assert.Null(config.Temperature);
        Assert.Equal([5], config.EosTokenIds);
        Assert.Equal(EarlyStopping.WhenFull, config.EarlyStopping);
        Assert.Equal([[[3, 4]]], config.ForceWordsIds!);
        Assert.Equal(["x"], config.StopStrings);
        Assert.Equal(20, config.MaxLength);
    }

    [Theory]
    [InlineData("""{"temperature": "hot"}""", "temperature")]
    [InlineData("""{"bad_words_ids": [3]}""", "bad_words_ids")]
    [InlineData("""{"early_stopping": "soon"}""", "never")]
    [InlineData("""{"sequence_bias": [[[3]]]}""", "sequence_bias")]
    [InlineData("""{"exponential_decay_length_penalty": 3}""", "exponential_decay_length_penalty")]
    [InlineData("""{"watermarking_config": {"seeding_scheme": "x"}}""", "lefthash")]
    [InlineData("""{"num_assistant_tokens_schedule": "x"}""", "constant")]
    [InlineData("[]", "object")]
    [InlineData("{", "JSON")]
    public void What_cannot_be_read_is_named(string json, string named) => Assert.Contains(named, Assert.Throws<FormatException>(() => Parse(json)).Message);

    [Fact]
    public void The_file_goes_before_the_models_configuration_and_the_call_before_both()
    {
        using var folder = new TemporaryFolder();
        using (var model = new CausalLanguageModel(ModelSamples.Config(""", "max_length": 9, "min_length": 8, "repetition_penalty": 1.5"""), seed: 1)) model.Save(folder.Path);
        File.WriteAllText(Path.Combine(folder.Path, "generation_config.json"), """{"max_length": 11, "eos_token_id": [7]}""");
        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);

        GenerationConfig defaults = loaded.GenerationDefaults;

        Assert.Equal((11, 8, 1.5), (defaults.MaxLength, defaults.MinLength, defaults.RepetitionPenalty));
        Assert.Equal([7], defaults.EosTokenIds);
        Assert.Equal(0, defaults.PadTokenId);
        Assert.Equal(11, loaded.Generate([3, 4], new() { EosTokenIds = [] }, TestContext.Current.CancellationToken).Ids.Count);
        Assert.Equal(6, loaded.Generate([3, 4], new() { MaxNewTokens = 4, EosTokenIds = [] }, TestContext.Current.CancellationToken).Ids.Count);
    }

    [Fact]
    public void What_is_set_on_a_model_is_saved_with_it()
    {
        using var folder = new TemporaryFolder();
        using (var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1))
        {
            Assert.Equal([2], model.GenerationConfig.EosTokenIds);
            model.GenerationConfig = model.GenerationConfig with { TopP = 0.5 };
            model.Save(folder.Path);
        }

        Assert.Equal(0.5, GenerationConfig.Load(folder.Path).TopP);
        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);
        Assert.Equal(0.5, loaded.GenerationConfig.TopP);
        Assert.Equal([2], loaded.GenerationConfig.EosTokenIds);
    }

    [Fact]
    public void A_folder_without_the_file_says_nothing()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(new GenerationConfig(), GenerationConfig.Load(folder.Path));
    }

    private static GenerationConfig Parse(string json) => GenerationConfig.Parse(Encoding.UTF8.GetBytes(json));
}
