using static MLComponents.Models.Tests.BatchReading;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>So many tokens at once that kernels for many rows read them, against the same tokens one at a time.</summary>
public class LongReadsTests
{
    [Theory]
    [MemberData(nameof(BatchReading.ModelsAndWidths), MemberType = typeof(BatchReading))]
    public void Tokens_get_the_same_bits_at_once_and_one_at_a_time(string name, string width)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1, ScalarType.BFloat16);
        foreach (bool inEightBits in (bool[])[false, true])
        {
            var decoding = new FusedDecodingModel(model) { Width = Enum.Parse<VectorWidth>(width), LongPrompt = int.MaxValue, InEightBits = inEightBits };
            int[][] texts = [Text(100, 3), Text(45, 5), Text(3, 7), Text(150, 11)];
            using IDecodingBatch together = decoding.NewBatch(texts.Length, canForget: false);
            float[] first = Read(together, texts), second = Read(together, [[9], [8], [7], [6]]);

            for (int row = 0; row < texts.Length; row++)
            {
                using IDecodingBatch alone = decoding.NewBatch(1, canForget: false);
                float[] last = [];
                foreach (int token in texts[row]) last = Read(alone, [[token]]);
                Assert.Equal(Row(model, first, row), last);
                Assert.Equal(Row(model, second, row), Read(alone, [[9 - row]]));
            }
        }
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("qwen2, some layers slide")]
    public void Rows_that_have_read_something_read_different_numbers_of_tokens_with_the_bits_that_they_get_alone(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1, ScalarType.BFloat16);
        var decoding = new FusedDecodingModel(model) { LongPrompt = int.MaxValue };
        using IDecodingBatch batch = decoding.NewBatch(2, canForget: false), late = decoding.NewBatch(1, canForget: false);
        Assert.True(batch.ReadsAmongOthers(60));
        Read(batch, [Text(20, 3), Text(33, 5)]);
        batch.Join(late);

        float[] logits = Read(batch, [[4], Text(60, 7), Text(21, 9)]);

        int[][][] parts = [[Text(20, 3), [4]], [Text(33, 5), Text(60, 7)], [Text(21, 9)]];
        for (int row = 0; row < parts.Length; row++)
        {
            using IDecodingBatch alone = decoding.NewBatch(1, canForget: false);
            float[] last = [];
            foreach (int token in parts[row].SelectMany(part => part)) last = Read(alone, [[token]]);
            Assert.Equal(Row(model, logits, row), last);
        }
    }

    [Fact]
    public void The_logits_of_many_tokens_are_those_of_each()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1, ScalarType.BFloat16);
        var decoding = new FusedDecodingModel(model) { LongPrompt = int.MaxValue };
        int[] text = Text(90, 3);
        float[] all = new float[70 * 60];
        using IDecodingBatch batch = decoding.NewBatch(1, canForget: false), alone = decoding.NewBatch(1, canForget: false);
        batch.Read(text, [text.Length], 70, all);
        for (int token = 0; token < text.Length; token++)
        {
            float[] one = Read(alone, [[text[token]]]);
            if (token >= 20) Assert.Equal(Row(model, all, token - 20), one);
        }
    }

    private static int[] Text(int length, int seed) => [.. Enumerable.Range(0, length).Select(place => 3 + (place * seed % 50))];
}
