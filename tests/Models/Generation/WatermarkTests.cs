using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class WatermarkTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 10)]
    [InlineData(15485863, 97)]
    [InlineData(3_000_000_019, 512)]
    public void Permutations_are_those_of_the_backends_generator(long seed, int count)
    {
        using var scope = NewDisposeScope();
        var numbers = new int[count];
        new MersenneTwister((ulong)seed).Permute(numbers);
        using var generator = new TorchSharp.torch.Generator((ulong)seed);
        Assert.Equal(randperm(count, generator: generator).data<long>().ToArray(), numbers.Select(number => (long)number));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    public void Text_with_the_watermark_is_told_from_text_without(bool selfHash, int contextWidth)
    {
        using var model = new CausalLanguageModel(ModelSamples.Config() with { MaxPositions = 512 }, seed: 1);
        var watermark = new Watermark { SelfHash = selfHash, ContextWidth = contextWidth, Bias = 4 };
        var detector = new WatermarkDetector(60, watermark);
        GenerationConfig config = new() { DoSample = true, Temperature = 3, TopK = 0, MaxNewTokens = 150, EosTokenIds = [], Seed = 2 };

        IReadOnlyList<int> marked = model.Generate([5, 9], config with { Watermark = watermark }, Cancellation).NewIds;
        IReadOnlyList<int> plain = model.Generate([5, 9], config, Cancellation).NewIds;

        WatermarkDetection found = detector.Detect(marked), none = detector.Detect(plain);
        Assert.True(found.IsWatermarked && found.PValue < 0.01 && found.GreenFraction > 0.4, $"{found}");
        Assert.False(none.IsWatermarked, $"{none}");
        Assert.Equal(marked.Count - (selfHash ? contextWidth - 1 : 1), found.TokenCount);
        Assert.False(new WatermarkDetector(60, watermark with { HashingKey = 12345 }).Detect(marked).IsWatermarked);
        Assert.True(new WatermarkDetector(60, watermark, ignoreRepeatedNgrams: true).Detect(marked).TokenCount <= found.TokenCount);
        Assert.Equal(detector.Detect([7, .. marked]), new WatermarkDetector(60, watermark, bosTokenId: 1).Detect([1, 7, .. marked]));
        Assert.Throws<ArgumentException>(() => detector.Detect([3]));
        Assert.Throws<ArgumentException>(() => detector.Detect([3, 4, 5, 6, 60]));
    }
}
