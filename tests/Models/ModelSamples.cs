using System.Text;

namespace MLComponents.Models.Tests;

/// <summary>Small models with random weights.</summary>
internal static class ModelSamples
{
    /// <summary>A configuration of three layers, by what its <c>config.json</c> says beside the sizes.</summary>
    public static DecoderConfig Config(string more = "") => DecoderConfig.Parse(Encoding.UTF8.GetBytes(Json(more)));

    /// <summary>The <c>config.json</c>; <paramref name="more"/> is put behind the sizes, each item with a comma in front.</summary>
    public static string Json(string more = "") =>
        $$"""
        {
          "model_type": "qwen2", "vocab_size": 60, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 6,
          "num_key_value_heads": 2, "max_position_embeddings": 64, "initializer_range": 0.3, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2{{more}}
        }
        """;

    /// <summary>Both have the same parameters with the same bits.</summary>
    public static void AssertSameWeights(PretrainedModel expected, PretrainedModel actual)
    {
        Assert.Equal(expected.named_parameters().Select(pair => pair.name), actual.named_parameters().Select(pair => pair.name));
        foreach (var (name, parameter) in expected.named_parameters())
            Assert.True(parameter.equal(actual.get_parameter(name)!).all().item<bool>(), name);
    }
}
