using System.Text;
using static MLComponents.Models.Tests.BatchReading;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>So many tokens at once that kernels for many rows read them, against the same tokens one at a time.</summary>
public class LongReadsTests
{
    private static readonly int[][] s_texts = [Text(100, 3), Text(45, 5), Text(3, 7), Text(150, 11)];

    /// <summary>Heads that fill pairs of vectors, and that leave one; one query for each key and several; windows.</summary>
    public static TheoryData<int, int, bool, bool, string> Heads()
    {
        var rows = new TheoryData<int, int, bool, bool, string>();
        foreach (int size in (int[])[64, 80])
            foreach (int keyValueHeads in (int[])[1, 3])
                foreach (bool slides in (bool[])[false, true])
                    foreach (bool rounded in (bool[])[false, true])
                        foreach (string width in Enum.GetNames<VectorWidth>()) rows.Add(size, keyValueHeads, slides, rounded, width);
        return rows;
    }

    [Theory]
    [MemberData(nameof(BatchReading.ModelsAndWidths), MemberType = typeof(BatchReading))]
    public void Tokens_get_the_same_bits_at_once_and_one_at_a_time(string name, string width)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1, ScalarType.BFloat16);
        foreach (bool inEightBits in (bool[])[false, true])
            CompareWithOneAtATime(model, new FusedDecodingModel(model) { Width = Enum.Parse<VectorWidth>(width), LongPrompt = int.MaxValue, InEightBits = inEightBits });
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void So_do_heads_of_usual_sizes(int headSize, int keyValueHeads, bool slides, bool rounded, string width)
    {
        using var model = new CausalLanguageModel(
            DecoderConfig.Parse(Encoding.UTF8.GetBytes($$"""
                {
                  "model_type": "qwen2", "vocab_size": 60, "hidden_size": 48, "intermediate_size": 70, "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": {{keyValueHeads}},
                  "head_dim": {{headSize}}, "max_position_embeddings": 256, "initializer_range": 0.2, "use_sliding_window": {{(slides ? "true" : "false")}}, "sliding_window": 40,
                  "layer_types": ["{{(slides ? "sliding_attention" : "full_attention")}}", "full_attention"]
                }
                """)),
            seed: 1,
            rounded ? ScalarType.BFloat16 : ScalarType.Float32);
        CompareWithOneAtATime(model, new FusedDecodingModel(model) { Width = Enum.Parse<VectorWidth>(width), LongPrompt = int.MaxValue });
    }

    [Fact]
    public void The_number_of_threads_changes_nothing()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("gpt_neox"), seed: 1, ScalarType.BFloat16);
        int threads = get_num_threads();
        try
        {
            float[][] results = [.. new[] { 1, 3 }.Select(count =>
            {
                set_num_threads(count);
                using IDecodingBatch batch = new FusedDecodingModel(model) { LongPrompt = int.MaxValue, Team = new WorkerTeam(3) }.NewBatch(s_texts.Length, canForget: false);
                return Read(batch, s_texts);
            })];
            Assert.Equal(results[0], results[1]);
        }
        finally
        {
            set_num_threads(threads);
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
        Assert.True(batch.ReadsUnevenly);
        Read(batch, [Text(20, 3), Text(33, 5)]);
        batch.Join(late);

        float[] logits = Read(batch, [[4], Text(60, 7), Text(21, 9)]);

        int[][][] parts = [[Text(20, 3), [4]], [Text(33, 5), Text(60, 7)], [Text(21, 9)]];
        for (int row = 0; row < parts.Length; row++)
        {
            using IDecodingBatch alone = decoding.NewBatch(1, canForget: false);
            Assert.Equal(OneAtATime(alone, [.. parts[row].SelectMany(part => part)]), Row(model, logits, row));
        }
    }

    [Fact]
    public void A_long_prompt_gets_the_bits_of_a_forward_pass_of_its_own_and_those_beside_it_are_read_by_kernels()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1, ScalarType.BFloat16);
        FusedDecodingModel decoding = new(model) { LongPrompt = 40 }, kernels = new(model) { LongPrompt = int.MaxValue };
        const int scored = 2, size = 60, hiddenSize = 48;
        int[][] texts = [Text(3, 7), Text(100, 3), Text(5, 9), Text(45, 5), Text(150, 11), Text(4, 3)];
        using IDecodingBatch batch = decoding.NewBatch(texts.Length, canForget: false);
        float[] logits = new float[texts.Length * scored * size], hidden = new float[texts.Length * scored * hiddenSize];
        batch.Read([.. texts.SelectMany(text => text)], [.. texts.Select(text => text.Length)], scored, logits, hidden);
        float[] next = Read(batch, [.. texts.Select((_, row) => new[] { 9 - row })]);
        for (int row = 0; row < texts.Length; row++)
        {
            IDecodingModel right = texts[row].Length >= 40 ? new TorchDecodingModel(model) : kernels;
            using IDecodingBatch alone = right.NewBatch(1, canForget: false), silent = decoding.NewBatch(1, canForget: false);
            float[] ownLogits = new float[scored * size], ownHidden = new float[scored * hiddenSize];
            alone.Read(texts[row], [texts[row].Length], scored, ownLogits, ownHidden);
            Assert.Equal(ownLogits, logits[(row * scored * size)..((row + 1) * scored * size)]);
            Assert.Equal(ownHidden, hidden[(row * scored * hiddenSize)..((row + 1) * scored * hiddenSize)]);
            silent.Read(texts[row], [texts[row].Length], 0, []);
            Assert.Equal(Row(model, next, row), Read(silent, [[9 - row]]));
        }
    }

    [Fact]
    public void Where_frequencies_depend_on_the_longest_row_rows_read_evenly()
    {
        using var model = new CausalLanguageModel(FamilySamples.Config("phi3", LengthDependentSeed(), lengthDependentRope: true), seed: 1);
        using IDecodingBatch batch = new FusedDecodingModel(model).NewBatch(2, canForget: false);
        Assert.IsType<FusedDecodingBatch>(batch);
        Assert.False(batch.ReadsUnevenly);
        int vocabulary = model.Config.VocabularySize;
        Read(batch, [[3, 4], [5]], vocabulary);
        Assert.Throws<ArgumentException>(() => Read(batch, [[3, 4], [5]], vocabulary));

        static int LengthDependentSeed() => Enumerable.Range(0, 100).First(seed => FamilySamples.Config("phi3", seed, lengthDependentRope: true) is { IsCausal: true, Rope.DependsOnLength: true });
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

    private static void CompareWithOneAtATime(CausalLanguageModel model, FusedDecodingModel decoding)
    {
        using IDecodingBatch together = decoding.NewBatch(s_texts.Length, canForget: false);
        float[] first = Read(together, s_texts), second = Read(together, [[9], [8], [7], [6]]);
        for (int row = 0; row < s_texts.Length; row++)
        {
            using IDecodingBatch alone = decoding.NewBatch(1, canForget: false);
            Assert.Equal(OneAtATime(alone, s_texts[row]), Row(model, first, row));
            Assert.Equal(OneAtATime(alone, [9 - row]), Row(model, second, row));
        }
    }

    private static float[] OneAtATime(IDecodingBatch batch, int[] text)
    {
        float[] last = [];
        foreach (int token in text) last = Read(batch, [[token]]);
        return last;
    }

    private static int[] Text(int length, int seed) => [.. Enumerable.Range(0, length).Select(place => 3 + (place * seed % 50))];
}
