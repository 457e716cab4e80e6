using System.Text;

namespace MLComponents.Models.Tests;

/// <summary>Small random configurations of every family, with whatever switches the family has.</summary>
internal static class FamilySamples
{
    /// <summary>The number of token ids; 0 is padding, 1 and 2 begin and end a text.</summary>
    public const int Vocabulary = 61;

    /// <summary>How many configurations of each family a property is tried on.</summary>
    private const int PerFamily = 6;

    /// <summary>A family, and the seed of a configuration.</summary>
    public static IEnumerable<TheoryDataRow<string, int>> Rows() =>
        from family in DecoderFamily.All
        from seed in Enumerable.Range(0, PerFamily)
        select new TheoryDataRow<string, int>(family.ModelType, seed);

    /// <summary>A random configuration; equal seeds give equal ones.</summary>
    /// <param name="modelType">The family.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="lengthDependentRope">Whether the turns of a token may depend on how long the text is (dynamic and longrope).</param>
    public static DecoderConfig Config(string modelType, int seed, bool lengthDependentRope = false)
    {
        var random = new Random((1000 * seed) + modelType.Sum(letter => letter));
        int headSize = 8 * random.Next(1, 3), headCount = random.Next(1, 5);
        DecoderConfig config = DecoderConfig.Parse(Encoding.UTF8.GetBytes(
            $$"""
            {
              "model_type": "{{modelType}}", "vocab_size": {{Vocabulary}}, "hidden_size": {{headSize * headCount}}, "intermediate_size": {{random.Next(5, 40)}},
              "num_hidden_layers": {{random.Next(1, 4)}}, "num_attention_heads": {{headCount}}, "max_position_embeddings": 64, "initializer_range": 0.3,
              "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "classifier_dropout": 0
            }
            """));
        Func<DecoderConfig, DecoderConfig>[] switches =
        [
            c => c with { KeyValueHeadCount = Enumerable.Range(1, headCount).Where(count => headCount % count == 0).MinBy(_ => random.Next()) },
            c => c with { HeadSize = 12 },
            c => c with { TieWordEmbeddings = true },
            c => c with { IsCausal = false },
            c => c with { QueryKeyNorm = !c.QueryKeyNorm },
            c => c with { QueryKeyValueBias = !c.QueryKeyValueBias, AttentionOutputBias = !c.AttentionOutputBias },
            c => c with { FeedForwardBias = !c.FeedForwardBias },
            c => c with { Residual = ResidualKind.Sequential },
            c => c with { Activation = (Activation)random.Next(5) },
            c => c with { SlidingWindow = random.Next(1, 6), SlidingLayers = [.. Enumerable.Range(0, c.LayerCount).Select(_ => random.Next(2) == 0)] },
            c => c with { SlidingWindow = random.Next(1, 6), SlidingLayers = [.. Enumerable.Repeat(true, c.LayerCount)] },
            c => c with { Rope = c.Rope with { RotaryFraction = random.Next(2) == 0 ? 0.5 : 1 } },
            c => c with { Rope = Rope(c, random, lengthDependentRope) },
        ];

        // A switch that the family's config.json cannot say is one that the family does not have. Causality goes with most of what is tested.
        foreach (Func<DecoderConfig, DecoderConfig> turned in switches)
        {
            DecoderConfig candidate = turned(config);
            if (random.Next(2) == 0 && (candidate.IsCausal || random.Next(4) == 0) && CanBeSaved(candidate)) config = candidate;
        }

        return config;
    }

    private static RopeParameters Rope(DecoderConfig config, Random random, bool lengthDependent)
    {
        double[] factors = [.. Enumerable.Range(1, (config.RotarySize() + 1) / 2).Select(pair => 1 + (0.2 * pair))];
        RopeParameters[] kinds =
        [
            new LinearRope { Factor = 2 },
            new YarnRope { Factor = 4, OriginalMaxPositions = 16 },
            new Llama3Rope { Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalMaxPositions = 32 },
            new DynamicRope { Factor = 2 },
            new LongRope { ShortFactors = factors, LongFactors = [.. factors.Select(factor => 2 * factor)], OriginalMaxPositions = 8 },
        ];
        RopeParameters rope = kinds[random.Next(lengthDependent ? kinds.Length : 3)];
        return rope with { Theta = random.Next(2) == 0 ? 1000 : 10000, RotaryFraction = config.Rope.RotaryFraction };
    }

    private static bool CanBeSaved(DecoderConfig config)
    {
        try
        {
            config.Validate("sample");
            config.CheckThatItCanBeSaved();
            return true;
        }
        catch (Exception exception) when (exception is NotSupportedException or FormatException)
        {
            return false;
        }
    }
}
