using System.Text.Json;
using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Tokenization;
using MLComponents.Transforms;
using TorchSharp;

namespace MLComponents.Testing;

/// <summary>A random model with one token per byte: small enough for any test, with every part of a real one.</summary>
internal static class TinyModel
{
    public const int Context = 64;

    private const int EndOfText = 256;

    public static SequenceClassificationModel Model(int labels, torch.ScalarType? dtype = null, int vocabulary = 260) => new(Config(labels, vocabulary), seed: 5, dtype: dtype);

    public static DecoderConfig Config(int labels, int vocabulary = 260, int context = Context) =>
        DecoderConfig.Parse(System.Text.Encoding.UTF8.GetBytes($$"""
            {"model_type": "qwen2", "vocab_size": {{vocabulary}}, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": {{context}}, "rms_norm_eps": 1e-6,
             "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": true, "initializer_range": 0.3,
             "id2label": { {{string.Join(", ", Enumerable.Range(0, labels).Select(label => $"\"{label}\": \"L{label}\""))}} } }
            """));

    /// <summary>A tokenizer without merges.</summary>
    /// <param name="wrapped">Whether it puts the end-of-text token before and after every text.</param>
    /// <param name="chatTemplate">Its chat template, or none.</param>
    public static PretrainedTokenizer Tokenizer(bool wrapped = false, string? chatTemplate = null)
    {
        var vocabulary = new Dictionary<string, int>();
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            vocabulary[((char)(printable ? value : next++)).ToString()] = value;
        }
        object? template = !wrapped ? null : new
        {
            type = "TemplateProcessing",
            single = new object[] { Special(), new { Sequence = new { id = "A", type_id = 0 } }, Special() },
            pair = new object[] { Special(), new { Sequence = new { id = "A", type_id = 0 } }, Special(), new { Sequence = new { id = "B", type_id = 1 } }, Special() },
            special_tokens = new Dictionary<string, object> { ["<|endoftext|>"] = new { id = "<|endoftext|>", ids = new[] { EndOfText }, tokens = new[] { "<|endoftext|>" } } },
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(new
        {
            version = "1.0",
            truncation = (object?)null,
            padding = (object?)null,
            added_tokens = new[] { new { id = EndOfText, content = "<|endoftext|>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true } },
            normalizer = (object?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = false },
            post_processor = template,
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", dropout = (double?)null, unk_token = (string?)null, continuing_subword_prefix = (string?)null, end_of_word_suffix = (string?)null, fuse_unk = false, byte_fallback = false, vocab = vocabulary, merges = Array.Empty<string>() },
        });
        return PretrainedTokenizer.Load(new Dictionary<string, byte[]>
        {
            ["tokenizer.json"] = json,
            ["tokenizer_config.json"] = JsonSerializer.SerializeToUtf8Bytes(chatTemplate is null
                ? new Dictionary<string, string> { ["eos_token"] = "<|endoftext|>", ["pad_token"] = "<|endoftext|>" }
                : new Dictionary<string, string> { ["eos_token"] = "<|endoftext|>", ["pad_token"] = "<|endoftext|>", ["chat_template"] = chatTemplate }),
        });

        static object Special() => new { SpecialToken = new { id = "<|endoftext|>", type_id = 0 } };
    }

    public static SequenceClassificationTransformer Multiclass(MLContext ml, torch.ScalarType? dtype = null, SequenceClassificationSettings? settings = null) =>
        new(ml, Model(3, dtype), Tokenizer(), ClassLabels.Text(["queue A", "queue B", "queue C"]), settings ?? new() { BatchSize = 8, LookAhead = 64 });

    public static SequenceClassificationTransformer Binary(MLContext ml, int outputs) =>
        new(ml, Model(outputs), Tokenizer(), ClassLabels.Binary, new() { BatchSize = 8, LookAhead = 64 });
}
