using System.Text;

namespace MLComponents.Models.Tests;

/// <summary>Small models of every family that differ in what a cache has to do with.</summary>
internal static class CacheModels
{
    private const string Sliding = """
        "use_sliding_window": true, "sliding_window": 5, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]
        """;

    private static readonly Dictionary<string, string> s_models = new()
    {
        ["qwen2"] = """ "model_type": "qwen2", "num_key_value_heads": 2 """,
        ["qwen2, one key-value head"] = """ "model_type": "qwen2", "num_key_value_heads": 1, "head_dim": 10, "tie_word_embeddings": true """,
        ["qwen2, some layers slide"] = $""" "model_type": "qwen2", "num_key_value_heads": 2, {Sliding} """,
        ["qwen2, some layers slide, yarn"] =
            $$$""" "model_type": "qwen2", "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}, {{{Sliding}}} """,
        ["qwen2, a window of one token"] = """ "model_type": "qwen2", "use_sliding_window": true, "sliding_window": 1, "max_window_layers": 1 """,
        ["phi3, all layers slide"] = """ "model_type": "phi3", "num_key_value_heads": 3, "sliding_window": 4, "partial_rotary_factor": 0.75 """,
        ["phi3, a window beyond the text"] = """ "model_type": "phi3", "num_key_value_heads": 2, "sliding_window": 400 """,
        ["phi3"] = """ "model_type": "phi3", "num_key_value_heads": 2, "rope_scaling": {"type": "linear", "factor": 2.0} """,
        ["phi"] = """ "model_type": "phi", "num_key_value_heads": 3, "qk_layernorm": true """,
        ["gpt_neox"] = """ "model_type": "gpt_neox" """,
        ["gpt_neox, sequential"] = """ "model_type": "gpt_neox", "use_parallel_residual": false, "attention_bias": false, "rotary_pct": 1.0 """,
        ["persimmon"] = """ "model_type": "persimmon" """,
        ["llama"] = """
            "model_type": "llama", "num_key_value_heads": 2,
            "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
            """,
    };

    public static IEnumerable<string> Names => s_models.Keys;

    /// <summary>Every model with every kind of cache.</summary>
    public static TheoryData<string, CacheKind> WithKinds()
    {
        var rows = new TheoryData<string, CacheKind>();
        foreach (string name in Names)
            foreach (CacheKind kind in Enum.GetValues<CacheKind>())
                rows.Add(name, kind);
        return rows;
    }

    public static DecoderConfig Config(string name) => DecoderConfig.Parse(Encoding.UTF8.GetBytes(
        $$"""
        {
          "vocab_size": 60, "hidden_size": 48, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 6, "max_position_embeddings": 64,
          "initializer_range": 0.2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, {{s_models[name]}}
        }
        """));
}
