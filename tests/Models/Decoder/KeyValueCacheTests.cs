using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class KeyValueCacheTests
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string, CacheKind> Models() => CacheModels.WithKinds();

    [Theory]
    [MemberData(nameof(Models))]
    public void Cached_equals_uncached_in_any_chunks(string name, CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(name);
        using var model = new CausalLanguageModel(config, seed: 3);
        Tensor ids = randint(3, 60, [2, 100]);
        Tensor expected = model.forward(ids);
        foreach (int[] chunks in new int[][] { [7, 1, 1, 50, 1, 3, 2, 1, 34], [.. Enumerable.Repeat(1, 70), 30], [4, 4, 4, 88], [100] })
        {
            using KeyValueCache cache = kind.Make(config, 2, 100);
            TensorAssert.Within(expected, Run(model, cache, ids, chunks), Tolerance, $"chunks {string.Join(", ", chunks)}");
            Assert.Equal((100, 2), (cache.Length, cache.BatchSize));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Left_padded_rows_decode_like_the_rows_alone(string name, CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(name);
        foreach (AttentionImplementation attention in Enum.GetValues<AttentionImplementation>())
        {
            using var model = new CausalLanguageModel(config, seed: 4, attention: attention);
            const int Length = 30;
            long[] pads = [0, 3, 11];
            Tensor ids = randint(3, 60, [3, Length]);
            Tensor mask = (arange(Length).unsqueeze(0) >= tensor(pads).unsqueeze(1)).to(ScalarType.Int64);
            Tensor positions = (mask.cumsum(1) - 1).clamp(min: 0);
            using KeyValueCache cache = kind.Make(config, 3, Length);
            List<Tensor> logits = [];
            foreach (int count in new[] { 12, 1, 1, 1, 7, 1, 1, 1, 1, 4 })
            {
                int start = cache.Length;
                logits.Add(model.Forward(new DecoderInput
                {
                    InputIds = ids.narrow(1, start, count),
                    AttentionMask = mask.narrow(1, 0, start + count),
                    PositionIds = positions.narrow(1, start, count),
                    Cache = cache,
                }).Logits);
            }

            Tensor all = cat(logits, 1);
            for (int row = 0; row < pads.Length; row++)
            {
                long count = Length - pads[row];
                TensorAssert.Within(
                    model.forward(ids.narrow(0, row, 1).narrow(1, pads[row], count)), all.narrow(0, row, 1).narrow(1, pads[row], count), Tolerance, $"{attention}, row {row}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Rows_can_be_reordered_repeated_selected_and_cloned(string name, CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(name);
        using var model = new CausalLanguageModel(config, seed: 5);
        foreach (int prefix in new[] { 3, 23 })
        {
            Tensor ids = randint(3, 60, [3, prefix]);
            Tensor next = randint(3, 60, [6, 4]);
            using KeyValueCache cache = kind.Make(config, 3, 40);
            Run(model, cache, ids, prefix - 1, 1);

            Check("reordered", [2, 0, 0], cache, static c => c.Reorder(tensor(new long[] { 2, 0, 0 })));
            Check("in a circle", [1, 2, 0], cache, static c => c.Reorder(tensor(new long[] { 1, 2, 0 })));
            Check("in place", [0, 1, 2], cache, static c => c.Reorder(tensor(new int[] { 0, 1, 2 })));
            Check("repeated", [0, 0, 1, 1, 2, 2], cache, static c => c.Repeat(2));
            Check("selected", [2, 1], cache, static c => c.Select(tensor(new long[] { 2, 1 })));
            Check("swapped", [1, 0, 2], cache, static c => c.Select(tensor(new int[] { 1, 0, 2 })));
            Check("one row for many", [1, 1, 1, 1], cache, static c =>
            {
                c.Select(tensor(new long[] { 1 }));
                c.Repeat(4);
            });
            Check("as it was", [0, 1, 2], cache, static _ => { });

            void Check(string what, long[] rows, KeyValueCache original, Action<KeyValueCache> change)
            {
                using KeyValueCache changed = original.Clone();
                Assert.IsType(original.GetType(), changed);
                change(changed);
                Assert.Equal((rows.Length, prefix), (changed.BatchSize, changed.Length));
                Tensor more = next.narrow(0, 0, rows.Length);
                Tensor expected = model.forward(cat([ids[tensor(rows)], more], 1)).narrow(1, prefix, 4);
                TensorAssert.Within(expected, Run(model, changed, more, 1, 2, 1), Tolerance, $"{what}, {prefix} tokens");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Cropping_and_going_on_equals_a_fresh_text(string name, CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(name);
        using var model = new CausalLanguageModel(config, seed: 6);
        Tensor ids = randint(3, 60, [2, 20]);
        Tensor other = randint(3, 60, [2, 6]);
        using KeyValueCache cache = kind.Make(config, 2, 40);
        Run(model, cache, ids, 9, 1, 10);
        if (kind != CacheKind.Dynamic && config.SlidingWindow < 20)
        {
            // What a sliding layer dropped is gone; nothing has changed then.
            Assert.Contains("sliding", Assert.Throws<InvalidOperationException>(() => cache.Crop(19)).Message);
            Tensor expected = model.forward(cat([ids, other], 1)).narrow(1, 20, 6);
            TensorAssert.Within(expected, Run(model, cache, other, 6), Tolerance, "after a refusal");
            return;
        }

        cache.Crop(25);
        cache.Crop(20);
        Assert.Equal(20, cache.Length);
        cache.Crop(14);
        cache.Crop(-2);
        Assert.Equal(12, cache.Length);
        TensorAssert.Within(
            model.forward(cat([ids.narrow(1, 0, 12), other], 1)).narrow(1, 12, 6), Run(model, cache, other, 1, 5), Tolerance, "12 tokens");
        cache.Crop(0);
        TensorAssert.Within(model.forward(other), Run(model, cache, other, 2, 4), Tolerance, "no tokens");
    }

    [Theory]
    [InlineData(CacheKind.DynamicForModel)]
    [InlineData(CacheKind.Static)]
    public void A_sliding_layer_is_cropped_as_long_as_it_holds_everything(CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2, some layers slide");
        using var model = new CausalLanguageModel(config, seed: 6);
        Tensor ids = randint(3, 60, [1, 10]);
        using KeyValueCache cache = kind.Make(config, 1, 40);

        // The window is 5: the next token sees 4 earlier ones.
        Run(model, cache, ids, 4);
        cache.Crop(-2);
        Tensor rest = ids.narrow(1, 2, 8);
        TensorAssert.Within(model.forward(ids).narrow(1, 2, 8), Run(model, cache, rest, 3, 5), Tolerance, "after 2 of 4 tokens");
        cache.Reset();
        Run(model, cache, ids, 5);
        Assert.Throws<InvalidOperationException>(() => cache.Crop(-1));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_cache_that_was_reset_serves_the_next_text(string name, CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(name);
        using var model = new CausalLanguageModel(config, seed: 7);
        Tensor ids = randint(3, 60, [2, 24]);
        using KeyValueCache cache = kind.Make(config, 2, 30);
        Run(model, cache, ids, 20, 1, 3);
        long bytes = cache.AllocatedBytes;

        cache.Reset();

        Assert.Equal(0, cache.Length);
        Tensor expected = model.forward(ids.narrow(1, 4, 20));
        TensorAssert.Within(expected, Run(model, cache, ids.narrow(1, 4, 20), 15, 1, 4), Tolerance, "logits");
        Assert.Equal(bytes, cache.AllocatedBytes);
    }

    [Fact]
    public void A_growing_cache_that_was_reset_takes_another_number_of_rows()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 7);
        Tensor ids = randint(3, 60, [3, 8]);
        using var cache = new DynamicCache();
        Assert.Equal(0, cache.BatchSize);
        cache.Repeat(2);
        cache.Reorder(zeros(1, dtype: ScalarType.Int64));
        Run(model, cache, ids.narrow(0, 0, 1), 8);

        cache.Reset();

        Assert.Equal(0, cache.BatchSize);
        TensorAssert.Within(model.forward(ids), Run(model, cache, ids, 5, 3), Tolerance, "logits");
        Assert.Equal(3, cache.BatchSize);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Hidden_states_and_attentions_are_given_for_the_new_tokens(string name, CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(name);
        using var model = new CausalLanguageModel(config, seed: 8, attention: AttentionImplementation.Eager);
        Tensor ids = randint(3, 60, [2, 17]);
        var whole = new DecoderInput { InputIds = ids, OutputHiddenStates = true, OutputAttentions = true };
        DecoderOutput expected = model.Forward(whole).Decoder;
        using KeyValueCache cache = kind.Make(config, 2, 20);
        foreach (int count in new[] { 9, 1, 1, 6 })
        {
            int past = cache.Length;
            DecoderOutput given = model.Forward(whole with { InputIds = ids.narrow(1, past, count), Cache = cache }).Decoder;

            Assert.Equal(config.LayerCount + 1, given.HiddenStates.Count);
            for (int layer = 0; layer <= config.LayerCount; layer++)
                TensorAssert.Within(expected.HiddenStates[layer].narrow(1, past, count), given.HiddenStates[layer], Tolerance, $"hidden state {layer}");
            Assert.Equal(config.LayerCount, given.Attentions.Count);
            for (int layer = 0; layer < config.LayerCount; layer++)
            {
                int keys = kind != CacheKind.Dynamic && config.WindowOf(layer) is { } window ? Math.Min(past, window - 1) + count : past + count;
                Tensor columns = expected.Attentions[layer].narrow(2, past, count).narrow(3, past + count - keys, keys);
                TensorAssert.Within(columns, given.Attentions[layer], Tolerance, $"attention {layer}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void In_bfloat16_cached_is_as_near_to_float32_as_uncached(string name, CacheKind kind)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config(name);
        using var rounded = new CausalLanguageModel(config, seed: 9, ScalarType.BFloat16);
        using var precise = new CausalLanguageModel(config, seed: 9);
        foreach (var (weight, exact) in rounded.parameters().Zip(precise.parameters())) exact.copy_(weight);
        Tensor ids = randint(3, 60, [2, 40]);
        using KeyValueCache cache = kind.Make(config, 2, 40, ScalarType.BFloat16);

        Tensor cached = Run(rounded, cache, ids, 12, 1, 1, 1, 20, 5);

        Assert.Equal(ScalarType.BFloat16, cached.dtype);
        Tensor expected = precise.forward(ids);
        Assert.InRange(Distance(cached, expected), 0, 1.5 * Distance(rounded.forward(ids), expected));
    }

    [Fact]
    public void What_is_cached_in_inference_mode_is_gone_on_with_outside_of_it()
    {
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2, some layers slide");
        using var model = new CausalLanguageModel(config, seed: 9);
        Tensor ids = randint(3, 60, [2, 90]);
        using var cache = new DynamicCache(config);
        using (inference_mode()) Run(model, cache, ids, 8, 1);
        using var noGradient = no_grad();
        Tensor rest = ids.narrow(1, 9, 81);

        TensorAssert.Within(model.forward(ids).narrow(1, 9, 81), Run(model, cache, rest, 1, 80), Tolerance, "logits");
    }

    [Fact]
    public void Gradients_with_a_cache_are_those_without_for_the_tokens_of_the_pass()
    {
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2, some layers slide");
        using var model = new CausalLanguageModel(config, seed: 9);
        Tensor ids = randint(3, 60, [2, 12]);
        Dictionary<string, Tensor> expected = Gradients(null, ids);
        foreach (CacheKind kind in Enum.GetValues<CacheKind>())
        {
            using KeyValueCache cache = kind.Make(config, 2, 20);
            foreach (var (key, gradient) in Gradients(cache, ids)) TensorAssert.CloseGradient(expected[key], gradient, $"{kind}, {key}");

            // What was cached is no longer part of any graph.
            Assert.All(Gradients(cache, ids.narrow(1, 0, 3)).Values, gradient => Assert.True(gradient.isfinite().all().item<bool>()));
        }

        Dictionary<string, Tensor> Gradients(KeyValueCache? cache, Tensor input)
        {
            model.zero_grad();
            CausalLanguageModel.Loss(model.Forward(new DecoderInput { InputIds = input, Cache = cache }).Logits, input).backward();
            return model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
        }
    }

    internal static Tensor Run(CausalLanguageModel model, KeyValueCache cache, Tensor ids, params int[] chunks)
    {
        List<Tensor> logits = [];
        int start = 0;
        foreach (int length in chunks)
        {
            logits.Add(model.Forward(new DecoderInput { InputIds = ids.narrow(1, start, length), Cache = cache }).Logits);
            start += length;
        }

        return cat(logits, 1);
    }

    private static double Distance(Tensor actual, Tensor expected) => (actual.to(ScalarType.Float64) - expected.to(ScalarType.Float64)).square().mean().sqrt().item<double>();
}
