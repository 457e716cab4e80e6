using System.Text.Json;
using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>The real tokenizers, which are not part of this repository, on the texts and ids of other projects.</summary>
public sealed class RealTokenizerParityTests
{
    [Theory]
    [InlineData("qwen", "qwen2/tokenizer.qwen3.json")]
    [InlineData("gpt-neox", "gpt-neox/20B_tokenizer.json")]
    [InlineData("phi-2", "phi-2/tokenizer.json")]
    public void Ids_of_real_texts_equal_the_reference(string golden, string tokenizerFile)
    {
        string lines = TestPaths.SharedOrSkip("tokenizers", "golden", golden + ".jsonl");
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", tokenizerFile));
        int count = 0;
        foreach (string line in File.ReadLines(lines))
        {
            JsonElement json = JsonDocument.Parse(line).RootElement;
            string text = json.GetProperty("text").GetString()!;
            int[] expected = [.. json.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.True(expected.SequenceEqual(tokenizer.EncodeIds(text, addSpecialTokens: false)), $"line {count + 1}: {text}");
            count++;
        }

        Assert.True(count > 0);
    }

    [Theory]
    [InlineData("ggml-vocab-qwen2.gguf", "qwen2/tokenizer.qwen3.json")]
    [InlineData("ggml-vocab-mpt.gguf", "gpt-neox/20B_tokenizer.json")]
    public void Ids_equal_those_of_llama_cpp(string vocabulary, string tokenizerFile)
    {
        string folder = TestPaths.SharedOrSkip("tokenizers", "llama.cpp");
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", tokenizerFile));
        string[] texts = File.ReadAllText(Path.Combine(folder, vocabulary + ".inp")).Split("\n__ggml_vocab_test__\n");
        string[] ids = File.ReadAllLines(Path.Combine(folder, vocabulary + ".out"));
        Assert.Equal(ids.Length, texts.Length - 1); // what follows the last separator is no text
        for (int index = 0; index < ids.Length; index++)
        {
            int[] expected = [.. ids[index].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
            Assert.True(expected.SequenceEqual(tokenizer.EncodeIds(texts[index], addSpecialTokens: false)), $"text {index}: {texts[index]}");
        }
    }

    [Fact]
    public void The_real_Qwen_tokenizer_knows_its_special_tokens()
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", "qwen2", "tokenizer.qwen3.json"));
        Assert.Equal([9707, 1879], tokenizer.EncodeIds("Hello world"));
        Assert.Equal([21927, 1879], tokenizer.EncodeIds(" Hello world"));
        Assert.Equal(151669, tokenizer.VocabularySize);
        Assert.Equal(151643, tokenizer.PadTokenId);
        Assert.Equal(151643, tokenizer.EosTokenId);
        Assert.Null(tokenizer.BosTokenId);
    }
}
