using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class AttentionMaskTests
{
    private const int Window = 5;
    private const string Mixed = "qwen2, some layers slide";

    [Theory]
    [InlineData(false, 0, 1, false, "none", "none")]
    [InlineData(false, 0, 4, false, "causal", "causal")]
    [InlineData(false, 0, 9, false, "causal", "[1, 1, 9, 9]")]
    [InlineData(false, 9, 1, false, "none", "[1, 1, 1, 10]")]
    [InlineData(false, 9, 3, false, "[1, 1, 3, 12]", "[1, 1, 3, 12]")]
    [InlineData(true, 9, 1, false, "none", "none")]
    [InlineData(true, 9, 3, false, "[1, 1, 3, 12]", "[1, 1, 3, 7]")]
    [InlineData(true, 3, 1, false, "none", "none")]
    [InlineData(true, 3, 2, false, "[1, 1, 2, 5]", "[1, 1, 2, 5]")]
    [InlineData(true, 9, 1, true, "[2, 1, 1, 10]", "none")]
    [InlineData(true, 5, 1, true, "[2, 1, 1, 6]", "[2, 1, 1, 5]")]
    [InlineData(false, 0, 4, true, "[2, 1, 4, 4]", "[2, 1, 4, 4]")]
    public void A_mask_is_made_only_where_it_hides_something(bool bounded, int past, int length, bool isPadded, string full, string sliding)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(Mixed);
        using var model = new CausalLanguageModel(config, seed: 1);
        using KeyValueCache cache = (bounded ? CacheKind.DynamicForModel : CacheKind.Dynamic).Make(config, 2, 0);
        if (past > 0) KeyValueCacheTests.Run(model, cache, randint(3, 60, [2, past]), past);

        // The first two tokens of one row are padding.
        Tensor mask = ones(2, past + length);
        if (isPadded) mask[0, TensorIndex.Slice(0, 2)] = 0;
        AttentionMasks masks = AttentionMasks.Build(config, cache, 2, length, mask, null, allowImplicit: true, ScalarType.Float32, CPU);

        Assert.Equal(full, Name(masks.Full));
        Assert.Equal(sliding, Name(masks.Sliding));

        static string Name(LayerMask mask) => mask.Additive is { } tensor ? $"[{string.Join(", ", tensor.shape)}]" : mask.IsCausal ? "causal" : "none";
    }

    [Theory]
    [InlineData(CacheKind.Dynamic)]
    [InlineData(CacheKind.DynamicForModel)]
    [InlineData(CacheKind.Static)]
    public void A_mask_of_four_dimensions_is_about_all_tokens_whatever_a_layer_holds(CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();

        // Every layer slides, so that one mask is right for all.
        DecoderConfig config = CacheModels.Config("phi3, all layers slide");
        using var model = new CausalLanguageModel(config, seed: 1);
        Tensor ids = randint(3, 60, [2, 20]);
        Tensor key = arange(20).unsqueeze(0), query = arange(20).unsqueeze(1);
        Tensor visible = ((key <= query) & (key > query - config.SlidingWindow!.Value)).view(1, 1, 20, 20);
        Tensor additive = zeros(1, 1, 20, 20).masked_fill(visible.logical_not(), double.NegativeInfinity);
        Tensor perHead = visible.expand(2, config.HeadCount, 20, 20);
        Tensor expected = model.forward(ids);
        foreach (Tensor mask in new[] { visible, additive, perHead })
        {
            using KeyValueCache cache = kind.Make(config, 2, 20);
            List<Tensor> logits = [];
            foreach (int count in new[] { 9, 1, 6, 4 })
            {
                int past = cache.Length;
                logits.Add(model.Forward(new DecoderInput
                {
                    InputIds = ids.narrow(1, past, count), AttentionMask = mask.narrow(2, past, count).narrow(3, 0, past + count), Cache = cache,
                }).Logits);
            }

            TensorAssert.Within(expected, cat(logits, 1), 1e-4, $"{mask.dtype}, {mask.shape[1]} heads");
        }
    }

    [Fact]
    public void A_mask_of_four_dimensions_may_not_show_what_a_sliding_layer_has_dropped()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(Mixed);
        using var model = new CausalLanguageModel(config, seed: 1);
        using var cache = new DynamicCache(config);
        Tensor ids = randint(3, 60, [2, 11]);
        KeyValueCacheTests.Run(model, cache, ids, 10);
        var next = new DecoderInput { InputIds = ids.narrow(1, 10, 1), Cache = cache };

        Assert.Contains("first 6 tokens", Assert.Throws<ArgumentException>(() => model.Forward(next with { AttentionMask = ones(1, 1, 1, 11, dtype: ScalarType.Bool) })).Message);
        Assert.Throws<ArgumentException>(() => model.Forward(next with { AttentionMask = zeros(1, 1, 1, 11) }));
        Assert.Equal(10, cache.Length);
        model.Forward(next with { AttentionMask = (arange(11) >= 6).view(1, 1, 1, 11) });
        Assert.Equal(11, cache.Length);
    }

    [Fact]
    public void Masks_of_other_shapes_or_types_are_refused()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1);
        Tensor ids = randint(3, 60, [2, 6]);

        Refuses(ones(2, 7), "expected [2, 6]");
        Refuses(ones(1, 6), "expected [2, 6]");
        Refuses(ones(6), "expected [2, 6]");
        Refuses(ones(2, 1, 6), "expected [2, 6]");
        Refuses(zeros(3, 1, 6, 6), "expected [2 or 1, 6 or 1, 6, 6]");
        Refuses(zeros(2, 2, 6, 6), "or 1, 6 or 1, 6, 6]");
        Refuses(zeros(2, 1, 5, 6), "or 1, 6 or 1, 6, 6]");
        Refuses(zeros(2, 1, 6, 7), "or 1, 6 or 1, 6, 6]");
        Refuses(ones(2, 1, 6, 6, dtype: ScalarType.Int64), "type Int64");

        void Refuses(Tensor mask, string part) => Assert.Contains(part, Assert.Throws<ArgumentException>(() => model.forward(ids, mask)).Message);
    }

    [Fact]
    public void Padding_masks_of_every_element_type_mean_the_same()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1);
        Tensor ids = randint(3, 60, [2, 6]);
        Tensor mask = tensor(new long[,] { { 0, 0, 1, 1, 1, 1 }, { 1, 1, 1, 1, 1, 1 } });
        Tensor expected = model.forward(ids, mask)[mask != 0];

        foreach (ScalarType type in new[] { ScalarType.Bool, ScalarType.Int32, ScalarType.Byte, ScalarType.Float32 })
            TensorAssert.Within(expected, model.forward(ids, mask.to(type))[mask != 0], 0, $"{type}");
    }

    [Fact]
    public void A_row_that_an_additive_mask_hides_from_everything_gives_numbers()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (AttentionImplementation attention in Enum.GetValues<AttentionImplementation>())
        {
            foreach (ScalarType dtype in new[] { ScalarType.Float32, ScalarType.BFloat16 })
            {
                using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1, dtype, attention: attention);
                Tensor ids = randint(3, 60, [1, 6]);
                Tensor mask = zeros(1, 1, 6, 6);
                mask[0, 0, 0] = finfo(ScalarType.Float32).min;
                mask[0, 0, 1] = double.NegativeInfinity;
                Assert.True(model.forward(ids, mask).isfinite().all().item<bool>(), $"{attention}, {dtype}");
            }
        }
    }

    [Fact]
    public void Without_causality_a_window_reaches_both_ways()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("phi3, all layers slide") with { IsCausal = false };
        using var model = new CausalLanguageModel(config, seed: 1);
        Tensor ids = randint(3, 60, [2, 12]);
        Tensor distance = (arange(12).unsqueeze(0) - arange(12).unsqueeze(1)).abs();

        // The reference's rule for this case: as many tokens on either side as the window is long.
        Tensor visible = (distance <= config.SlidingWindow!.Value).view(1, 1, 12, 12);
        TensorAssert.Within(model.forward(ids, visible), model.forward(ids), 1e-4, "logits");
    }
}
