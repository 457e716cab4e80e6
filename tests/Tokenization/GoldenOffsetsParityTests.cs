using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>Ids, tokens, offsets, masks, word ids and decoded texts against those of the reference, for every tokenizer that is found.</summary>
public sealed class GoldenOffsetsParityTests
{
    public static IEnumerable<TheoryDataRow<string, string>> Tokenizers()
    {
        int set = 0;
        foreach (string root in GoldenSet.Roots)
        {
            string suffix = set++ == 0 ? "committed lines" : "whole set";
            foreach ((string name, string folder, string golden) in GoldenSet.Trained(root))
                yield return new TheoryDataRow<string, string>(folder, golden) { TestDisplayName = $"{name}: golden offsets, {suffix}" };
        }
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Ids_tokens_offsets_and_decoded_texts_equal_the_reference(string folder, string golden) => AssertEqual(Load(folder), golden);

    [Fact]
    public void The_real_Qwen_tokenizer_equals_the_reference()
    {
        string golden = TestPaths.SharedOrSkip("tokenizers", "golden-offsets", "qwen3.jsonl");
        AssertEqual(PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", "qwen2", "tokenizer.qwen3.json")), golden);
    }

    [Fact]
    public void The_real_GPT_NeoX_tokenizer_equals_the_reference()
    {
        string golden = TestPaths.SharedOrSkip("tokenizers", "golden-offsets", "gpt-neox.jsonl");
        AssertEqual(PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", "gpt-neox", "20B_tokenizer.json")), golden);
    }

    [Fact]
    public void The_real_Phi_2_tokenizer_equals_the_reference()
    {
        string golden = TestPaths.SharedOrSkip("tokenizers", "golden-offsets", "phi-2.jsonl");
        AssertEqual(PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", "phi-2")), golden);
    }

    private static PretrainedTokenizer Load(string folder)
    {
        try
        {
            return PretrainedTokenizer.Load(folder);
        }
        catch (NotSupportedException unsupported)
        {
            Assert.Skip(unsupported.Message);
            throw;
        }
    }

    private static void AssertEqual(PretrainedTokenizer tokenizer, string golden)
    {
        GoldenLine[] lines = [.. GoldenLine.Read(golden)];
        Assert.NotEmpty(lines);
        string[] differences = [.. lines.Select(line => line.Difference(tokenizer)).OfType<string>()];
        Assert.True(differences.Length == 0, $"{differences.Length} of {lines.Length} lines differ, first of all:\n{string.Join('\n', differences.Take(5))}");
    }
}
