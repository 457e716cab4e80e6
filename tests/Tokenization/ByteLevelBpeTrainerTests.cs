using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

public sealed class ByteLevelBpeTrainerTests
{
    private static readonly string[] Texts =
    [
        .. Enumerable.Repeat("low lower lowest newer newest wider", 20),
        "caf\u00E9 cafe\u0301 na\u00EFve \U0001F642 <|im_end|> low",
    ];

    [Fact]
    public void The_most_frequent_pairs_become_tokens()
    {
        PretrainedTokenizer tokenizer = Train(ByteLevelBpeTrainer.SmallestVocabulary + 30, Texts);
        Assert.Equal(["\u0120newest", "\u0120lower"], tokenizer.Encode(" newest lower").Tokens);
        Assert.Equal("low <x> \U0001F642", tokenizer.Decode(tokenizer.EncodeIds("low <x> \U0001F642"), skipSpecialTokens: false));
    }

    [Fact]
    public void Merges_equal_those_of_counting_anew_after_every_merge()
    {
        var random = new Random(10);
        string[] texts = [.. Enumerable.Range(0, 60).Select(_ => new string([.. Enumerable.Range(0, 30).Select(_ => "aab b"[random.Next(5)])]))];
        PretrainedTokenizer tokenizer = Train(ByteLevelBpeTrainer.SmallestVocabulary + 25, texts);
        JsonObject json = JsonNode.Parse(tokenizer.Files["tokenizer.json"])!.AsObject();
        string[] merges = [.. json["model"]!["merges"]!.AsArray().Select(merge => $"{merge![0]} {merge[1]}")];
        Assert.Equal(LearnPlainly(texts, json["model"]!["vocab"]!.AsObject(), merges.Length), merges);
    }

    [Fact]
    public void The_special_tokens_come_last_and_end_and_pad_texts()
    {
        PretrainedTokenizer tokenizer = Train(270, Texts);
        Assert.Equal(270, tokenizer.VocabularySize);
        Assert.Equal(267, tokenizer.PadTokenId);
        Assert.Equal(267, tokenizer.EosTokenId);
        Assert.Null(tokenizer.BosTokenId);
        Assert.Equal([268, 269], tokenizer.EncodeIds("<|im_start|><|im_end|>"));
        Assert.Equal("", tokenizer.Decode([267, 268, 269], skipSpecialTokens: true));
    }

    [Fact]
    public void The_layout_is_that_of_Qwen2()
    {
        JsonObject mine = JsonNode.Parse(Train(300, Texts).Files["tokenizer.json"])!.AsObject();
        JsonObject reference = JsonNode.Parse(File.ReadAllText(Path.Combine(Samples.Folder("qwen2-like"), "tokenizer.json")))!.AsObject();
        Assert.Equal(reference.Select(part => part.Key), mine.Select(part => part.Key));
        foreach (string part in new[] { "version", "truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder" })
            Assert.True(JsonNode.DeepEquals(reference[part], mine[part]), part);
        foreach ((string name, JsonNode? value) in reference["model"]!.AsObject().Where(part => part.Key is not ("vocab" or "merges")))
            Assert.True(JsonNode.DeepEquals(value, mine["model"]![name]), name);
        for (int index = 0; index < 3; index++)
        {
            foreach ((string name, JsonNode? value) in reference["added_tokens"]![index]!.AsObject().Where(flag => flag.Key != "id"))
                Assert.True(JsonNode.DeepEquals(value, mine["added_tokens"]![index]![name]), name);
        }
    }

    [Fact]
    public void The_same_texts_give_the_same_file_in_any_order()
    {
        byte[] first = Train(310, Texts).Files["tokenizer.json"];
        Assert.Equal(first, Train(310, Texts).Files["tokenizer.json"]);
        Assert.Equal(first, Train(310, Texts.Reverse()).Files["tokenizer.json"]);
    }

    [Fact]
    public void Few_texts_give_a_smaller_vocabulary()
    {
        Assert.Equal(ByteLevelBpeTrainer.SmallestVocabulary, Train(5000, []).VocabularySize);
        Assert.Equal(ByteLevelBpeTrainer.SmallestVocabulary + 1, Train(5000, ["ab ab", "\nab"]).VocabularySize);
    }

    [Fact]
    public void A_vocabulary_smaller_than_the_bytes_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ByteLevelBpeTrainer(258));

    [Fact]
    public void Training_can_be_cancelled() =>
        Assert.Throws<OperationCanceledException>(() => new ByteLevelBpeTrainer(300).Train(Texts, new CancellationToken(canceled: true)));

    private static PretrainedTokenizer Train(int size, IEnumerable<string> texts) =>
        new ByteLevelBpeTrainer(size).Train(texts, TestContext.Current.CancellationToken);

    private static List<string> LearnPlainly(string[] texts, JsonObject vocabulary, int count)
    {
        var pattern = new CodePointRegex(PublishedPattern.Qwen2);
        var words = new List<List<string>>();
        foreach (string text in texts)
        {
            for (int from = 0; from < text.Length && pattern.TryFind(text, from, out int start, out int end); from = end)
                words.Add([.. text[start..end].Select(character => ByteAlphabet.ToCharacter((byte)character).ToString())]);
        }

        var merges = new List<string>();
        while (merges.Count < count)
        {
            (string Left, string Right) best = words.SelectMany(word => word.Zip(word.Skip(1)))
                .GroupBy(pair => pair)
                .OrderByDescending(group => group.Count())
                .ThenBy(group => vocabulary[group.Key.First]!.GetValue<int>())
                .ThenBy(group => vocabulary[group.Key.Second]!.GetValue<int>())
                .First().Key;
            merges.Add($"{best.Left} {best.Right}");
            foreach (List<string> word in words)
            {
                for (int index = 0; index + 1 < word.Count; index++)
                {
                    if (word[index] != best.Left || word[index + 1] != best.Right) continue;
                    word[index] += best.Right;
                    word.RemoveAt(index + 1);
                }
            }
        }

        return merges;
    }
}
