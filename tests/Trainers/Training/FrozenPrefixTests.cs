using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>Frozen layers are run once per text, and what they make of it is kept.</summary>
public class FrozenPrefixTests
{
    private static readonly int[][] s_texts = [[97, 98], [99], [97, 98, 99, 97], [97, 98], [98, 98, 99]];

    [Theory]
    [InlineData("score.*", 2, ScalarType.Float32)]
    [InlineData("model.layers.1.*", 1, ScalarType.Float32)]
    [InlineData("model.layers.1.*", 1, ScalarType.BFloat16)]
    public void Each_text_is_computed_once_and_gives_the_models_logits_and_gradients(string trained, int layers, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using SequenceClassificationModel model = Frozen(dtype, trained);
        TextBatches texts = Batches(model);
        using FrozenPrefix prefix = Prefix(texts, long.MaxValue, null);
        Assert.Equal((layers, layers == 2), (prefix.Layers, prefix.KeepsOneToken));
        Assert.True(Fill(prefix, texts, tokensAtOnce: 100));
        Assert.Equal(4, prefix.Computed);
        model.train();
        var (found, foundGradient) = Learn(model, texts);
        texts.Prefix = null;
        var (expected, expectedGradient) = Learn(model, texts);
        double tolerance = dtype == ScalarType.Float32 ? 1e-5 : 5e-2;
        Assert.True(found.allclose(expected, tolerance, tolerance));
        Assert.True(foundGradient.allclose(expectedGradient, tolerance, tolerance));
        Assert.Equal(4, prefix.Computed);
        Assert.True(model.training);
    }

    [Fact]
    public void What_does_not_fit_into_memory_goes_to_the_disk_and_comes_back_to_the_bit()
    {
        using DisposeScope scope = NewDisposeScope();
        using SequenceClassificationModel model = Frozen(ScalarType.BFloat16, "model.layers.1.*");
        string folder = Directory.CreateTempSubdirectory("mlcomponents-prefix-").FullName;
        string inside = Path.Combine(folder, "made", "by", "it");
        float[] Logits(long memory, Func<Stream>? file)
        {
            TextBatches texts = Batches(model);
            using FrozenPrefix prefix = Prefix(texts, memory, file);
            Assert.True(Fill(prefix, texts, tokensAtOnce: 5));
            Tensor logits = Learn(model, texts).Logits;
            Assert.Equal(4, prefix.Computed);
            return logits.to(ScalarType.Float32).data<float>().ToArray();
        }

        float[] inMemory = Logits(long.MaxValue, null);
        Assert.Equal(inMemory, Logits(0, () => TextStates.OpenTemporary(inside)));
        Assert.Equal(inMemory, Logits(300, () => TextStates.OpenTemporary(inside)));
        Assert.Empty(Directory.GetFiles(inside));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void What_fits_nowhere_is_computed_again_to_the_same()
    {
        using DisposeScope scope = NewDisposeScope();
        using SequenceClassificationModel model = Frozen(ScalarType.Float32, "model.layers.1.*");
        TextBatches texts = Batches(model);
        using FrozenPrefix prefix = Prefix(texts, 600, null); // the first batch's two texts fit
        Assert.False(Fill(prefix, texts, tokensAtOnce: 4));
        long filled = prefix.Computed;
        var (found, gradient) = Learn(model, texts);
        Assert.InRange(prefix.Computed - filled, 1, 4);
        texts.Prefix = null;
        var (expected, expectedGradient) = Learn(model, texts);
        Assert.True(found.allclose(expected, 1e-5, 1e-5));
        Assert.True(gradient.allclose(expectedGradient, 1e-5, 1e-5));
    }

    [Theory]
    [InlineData(0, "written")] // the disk is full at once
    [InlineData(300, "written")] // after the first texts
    [InlineData(-1, "written")] // there can be no file
    [InlineData(int.MaxValue, "read")] // the disk breaks later
    [InlineData(int.MaxValue, "read", 2)] // after it has given some back
    public void A_disk_that_fails_loses_nothing_and_warns_once(int room, string word, int reads = 0)
    {
        using DisposeScope scope = NewDisposeScope();
        using SequenceClassificationModel model = Frozen(ScalarType.Float32, "model.layers.1.*");
        TextBatches texts = Batches(model);
        var warnings = new List<string>();
        var states = new TextStates(0, () => room < 0 ? throw new UnauthorizedAccessException("no such luck") : new FailingStream(room, reads));
        states.Warned += warnings.Add;
        using var prefix = new FrozenPrefix(texts, states);
        texts.Prefix = prefix;
        Assert.Equal(word == "read", Fill(prefix, texts, tokensAtOnce: 4));
        Tensor found = Learn(model, texts).Logits, again = Learn(model, texts).Logits;
        texts.Prefix = null;
        Tensor expected = Learn(model, texts).Logits;
        Assert.True(found.allclose(expected, 1e-5, 1e-5));
        Assert.True(again.allclose(expected, 1e-5, 1e-5));
        string warning = Assert.Single(warnings);
        Assert.All(new[] { word, "PrefixCacheFolder", "computed anew" }, part => Assert.Contains(part, warning));
    }

    [Fact]
    public void Only_a_model_whose_lowest_layers_stay_as_they_are_has_one()
    {
        using SequenceClassificationModel model = Frozen(ScalarType.Float32, "score.*");
        Assert.True(FrozenPrefix.Suits(model, 64));
        model.Unfreeze("model.norm.*", "model.layers.1.mlp.*");
        Assert.True(FrozenPrefix.Suits(model, 64));
        model.EmbeddingNoise = 5;
        Assert.False(FrozenPrefix.Suits(model, 64));
        model.EmbeddingNoise = 0;
        model.Unfreeze("model.layers.0.self_attn.q_proj.bias");
        Assert.False(FrozenPrefix.Suits(model, 64));
        model.Freeze("model.layers.0.*");
        model.Unfreeze("model.embed_tokens.*");
        Assert.False(FrozenPrefix.Suits(model, 64));
        using var dynamic = new SequenceClassificationModel(TinyModel.Config(3) with { Rope = new DynamicRope { Factor = 2 } }, seed: 1);
        TrainedWeights.HeadOnly.ApplyTo(dynamic);
        Assert.True(FrozenPrefix.Suits(dynamic, 64));
        Assert.False(FrozenPrefix.Suits(dynamic, 65)); // beyond the model's own context, turns depend on the longest text of a batch
    }

    [Fact]
    public void An_adapter_in_the_upper_layers_leaves_the_lower_ones_frozen()
    {
        using SequenceClassificationModel model = TinyModel.Model(3);
        Assert.Equal(0, model.FrozenLayerCount);
        model.Adapters.Add(new LoraOptions { LayersToTransform = [1] });
        Assert.Equal(1, model.FrozenLayerCount);
    }

    private static SequenceClassificationModel Frozen(ScalarType dtype, string trained)
    {
        SequenceClassificationModel model = TinyModel.Model(3, dtype);
        TrainedWeights.Matching(trained, "score.*").ApplyTo(model);
        return model;
    }

    private static TextBatches Batches(SequenceClassificationModel model) => new(model, padId: 256, packs: true, arePooled: true);

    private static FrozenPrefix Prefix(TextBatches texts, long memory, Func<Stream>? file) => texts.Prefix = new FrozenPrefix(texts, new TextStates(memory, file));

    private static bool Fill(FrozenPrefix prefix, TextBatches texts, int tokensAtOnce)
    {
        texts.TokensAtOnce = tokensAtOnce;
        return prefix.Fill(s_texts, () => { });
    }

    private static (Tensor Logits, Tensor Gradient) Learn(SequenceClassificationModel model, TextBatches texts)
    {
        Tensor logits = new ScoredTexts(model, texts).Logits(s_texts);
        logits.to(ScalarType.Float32).square().sum().backward();
        var trained = model.named_parameters().First(item => item.parameter.requires_grad).parameter;
        Tensor gradient = trained.grad!.clone();
        foreach (var parameter in model.parameters()) parameter.grad = null;
        return (logits.detach(), gradient);
    }

    /// <summary>Takes so many bytes, and gives some back so many times.</summary>
    private sealed class FailingStream(int room, int reads) : MemoryStream
    {
        private int _reads;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Position + buffer.Length > room) throw new IOException("the disk is full");
            base.Write(buffer);
        }

        public override int Read(Span<byte> buffer) => room == int.MaxValue && _reads++ >= reads ? throw new IOException("the disk is broken") : base.Read(buffer);
    }
}
