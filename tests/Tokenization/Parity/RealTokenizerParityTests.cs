using System.Text.Json;
using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>The real tokenizers, which are not part of this repository, on the texts and ids of other projects.</summary>
public sealed class RealTokenizerParityTests
{
    // What these files call a vocabulary that the set has under another name.
    private static readonly Dictionary<string, string> Names = new()
    {
        ["qwen"] = "qwen3", ["qwen2"] = "qwen3", ["llama2"] = "phi-3", ["llama-spm"] = "phi-3", ["mpt"] = "gpt-neox",
    };

    public static IEnumerable<TheoryDataRow<string, string>> Golden() => Files("golden", "", ".jsonl");

    public static IEnumerable<TheoryDataRow<string, string>> LlamaCpp() => Files("llama.cpp", "ggml-vocab-", ".gguf.inp");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden))]
    public void Ids_of_real_texts_equal_the_reference(string file, string path)
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(path);
        int count = 0;
        foreach (JsonElement json in GoldenSet.Lines(file))
        {
            string text = json.GetProperty("text").GetString()!;
            int[] expected = [.. json.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.True(expected.SequenceEqual(tokenizer.EncodeIds(text, addSpecialTokens: false)), $"line {count + 1}: {text}");
            count++;
        }

        Assert.True(count > 0);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(LlamaCpp))]
    public void Ids_equal_those_of_llama_cpp(string file, string path)
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(path);
        string[] texts = File.ReadAllText(file).Split("\n__ggml_vocab_test__\n");
        string[] ids = File.ReadAllLines(Path.ChangeExtension(file, ".out"));
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

    private static IEnumerable<TheoryDataRow<string, string>> Files(string folder, string prefix, string suffix)
    {
        foreach ((string set, string root) in GoldenSet.Roots)
        {
            string path = Path.Combine(root, folder);
            if (!Directory.Exists(path)) continue;
            foreach (string file in Directory.EnumerateFiles(path, prefix + "*" + suffix).Order(StringComparer.Ordinal))
            {
                string name = Path.GetFileName(file)[prefix.Length..^suffix.Length];
                string? tokenizer = GoldenSet.Find(root, name) ?? (Names.TryGetValue(name, out string? other) ? GoldenSet.Find(root, other) : null);
                if (tokenizer is not null) yield return new TheoryDataRow<string, string>(file, tokenizer) { TestDisplayName = $"{name}: {folder}, {set}" };
            }
        }
    }
}
