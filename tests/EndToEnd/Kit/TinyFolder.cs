using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.EndToEnd.Tests;

/// <summary>A Hugging Face folder with a decoder of a few thousand random weights: everything that a real one has, and trained within seconds.</summary>
internal static class TinyFolder
{
    /// <summary>Writes the folder; the vocabulary is learnt from the texts.</summary>
    public static string Create(string folder, IEnumerable<string> texts)
    {
        PretrainedTokenizer tokenizer = new ByteLevelBpeTrainer(400).Train(texts);
        tokenizer.Save(folder);
        using var model = new CausalLanguageModel(DecoderConfig.Parse(System.Text.Encoding.UTF8.GetBytes($$"""
            {"model_type": "qwen2", "vocab_size": {{tokenizer.VocabularySize}}, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "tie_word_embeddings": true,
             "eos_token_id": {{tokenizer.EosTokenId}}, "pad_token_id": {{tokenizer.PadTokenId}}, "initializer_range": 0.1}
            """)), seed: 3);
        model.Save(folder);
        return folder;
    }
}
