using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class CacheErrorTests
{
    [Fact]
    public void A_full_static_cache_names_its_room_and_what_is_needed()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2, some layers slide");
        using var model = new CausalLanguageModel(config, seed: 1);
        Tensor ids = randint(3, 60, [1, 20]);
        using var cache = new StaticCache(config, 1, 18);
        KeyValueCacheTests.Run(model, cache, ids, 15, 1);

        string message = Assert.Throws<InvalidOperationException>(() => KeyValueCacheTests.Run(model, cache, ids, 3)).Message;

        Assert.Contains("room for 18 tokens", message);
        Assert.Contains("19 are needed", message);
        Assert.Equal(16, cache.Length);
        Tensor rest = ids.narrow(1, 16, 2);
        Tensor seen = cat([ids.narrow(1, 0, 15), ids.narrow(1, 15, 1), rest], 1);
        TensorAssert.Within(model.forward(seen).narrow(1, 16, 2), KeyValueCacheTests.Run(model, cache, rest, 2), 1e-4, "after the refusal");
        Assert.Throws<ArgumentOutOfRangeException>(() => new StaticCache(config, 0, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StaticCache(config, 1, 0));
    }

    [Fact]
    public void A_cache_of_other_rows_or_of_another_model_is_refused_before_anything_is_computed()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2");
        using var model = new CausalLanguageModel(config, seed: 1);
        using var cache = new DynamicCache();
        KeyValueCacheTests.Run(model, cache, randint(3, 60, [2, 5]), 5);

        Refuses(model, cache, "holds 2 rows, the input has 3", rows: 3);
        RefusesModel(CacheModels.Config("qwen2") with { LayerCount = 4 }, "for 3 layers, the model has 4");
        RefusesModel(CacheModels.Config("qwen2") with { HeadSize = 4 }, "2 heads of 8 elements, the model has 2 of 4");
        RefusesModel(CacheModels.Config("qwen2") with { KeyValueHeadCount = 3 }, "2 heads of 8 elements, the model has 3 of 8");
        RefusesModel(config, "holds Float32", ScalarType.BFloat16);
        using var windows = new DynamicCache(CacheModels.Config("qwen2, some layers slide"));
        Refuses(model, windows, "window of 5", rows: 2);
        using var fixedRows = new StaticCache(config, 4, 10);
        Refuses(model, fixedRows, "holds 4 rows, the input has 2", rows: 2);
        Assert.Equal((5, 0, 0), (cache.Length, windows.Length, fixedRows.Length));

        void RefusesModel(DecoderConfig other, string part, ScalarType dtype = ScalarType.Float32)
        {
            using var stranger = new CausalLanguageModel(other, seed: 1, dtype);
            Refuses(stranger, cache, part, rows: 2);
        }

        static void Refuses(CausalLanguageModel model, KeyValueCache cache, string part, int rows) => Assert.Contains(
            part, Assert.Throws<ArgumentException>(() => KeyValueCacheTests.Run(model, cache, full([rows, 1], 3, ScalarType.Int64), 1)).Message);
    }

    [Fact]
    public void Rows_and_lengths_that_do_not_exist_are_refused_and_change_nothing()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1);
        using var cache = new DynamicCache();
        Tensor ids = randint(3, 60, [2, 6]);
        KeyValueCacheTests.Run(model, cache, ids, 5);

        Assert.Contains("3 beam indices for 2 rows", Assert.Throws<ArgumentException>(() => cache.Reorder(zeros(3, dtype: ScalarType.Int64))).Message);
        Assert.Contains("The row 2 does not exist", Assert.Throws<ArgumentException>(() => cache.Reorder(tensor(new long[] { 0, 2 }))).Message);
        Assert.Contains("The row -1 does not exist", Assert.Throws<ArgumentException>(() => cache.Select(tensor(new long[] { -1 }))).Message);
        Assert.Throws<ArgumentException>(() => cache.Select(zeros(0, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentException>(() => cache.Select(zeros(2)));
        Assert.Throws<ArgumentException>(() => cache.Select(zeros(1, 1, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Repeat(0));
        Assert.Contains("holds 5 tokens, from which 6", Assert.Throws<ArgumentOutOfRangeException>(() => cache.Crop(-6)).Message);

        Assert.Equal((5, 2), (cache.Length, cache.BatchSize));
        TensorAssert.Within(model.forward(ids).narrow(1, 5, 1), KeyValueCacheTests.Run(model, cache, ids.narrow(1, 5, 1), 1), 1e-4, "logits");
    }

    [Fact]
    public void Bad_input_leaves_a_cache_as_it_was()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1);
        using var cache = new DynamicCache();
        Tensor ids = randint(3, 60, [2, 6]);
        KeyValueCacheTests.Run(model, cache, ids, 5);
        var next = new DecoderInput { InputIds = ids.narrow(1, 5, 1), Cache = cache };

        Assert.Throws<ArgumentException>(() => model.Forward(next with { AttentionMask = ones(2, 1) }));
        Assert.Throws<ArgumentException>(() => model.Forward(next with { PositionIds = zeros(2, 2, dtype: ScalarType.Int64) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Forward(next with { InputIds = full([2, 1], 60, ScalarType.Int64) }));

        Assert.Equal(5, cache.Length);
        TensorAssert.Within(model.forward(ids).narrow(1, 5, 1), model.Forward(next).Logits, 1e-4, "logits");
    }

    [Fact]
    public void A_cache_that_a_pass_left_half_filled_is_refused_until_it_is_reset()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2");
        using var model = new CausalLanguageModel(config, seed: 1);
        using var cache = new StaticCache(config, 1, 20);
        Tensor ids = randint(3, 60, [1, 6]);
        cache.Append(0, zeros(1, 2, 3, 8), zeros(1, 2, 3, 8));

        Assert.Contains("ended midway", Assert.Throws<InvalidOperationException>(() => KeyValueCacheTests.Run(model, cache, ids, 1)).Message);
        cache.Reset();
        TensorAssert.Within(model.forward(ids), KeyValueCacheTests.Run(model, cache, ids, 2, 4), 1e-4, "logits");
    }

    [Fact]
    public void A_disposed_cache_says_so()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1);
        var cache = new DynamicCache();
        KeyValueCacheTests.Run(model, cache, full([1, 2], 3, ScalarType.Int64), 2);
        cache.Dispose();
        cache.Dispose();

        Assert.Throws<ObjectDisposedException>(() => KeyValueCacheTests.Run(model, cache, full([1, 2], 3, ScalarType.Int64), 2));
        Assert.Throws<ObjectDisposedException>(() => cache.Crop(0));
        Assert.Throws<ObjectDisposedException>(() => cache.Repeat(1));
        Assert.Throws<ObjectDisposedException>(() => cache.Reorder(zeros(1, dtype: ScalarType.Int64)));
        Assert.Throws<ObjectDisposedException>(() => cache.Select(zeros(1, dtype: ScalarType.Int64)));
        Assert.Throws<ObjectDisposedException>(() => cache.Reset());
        Assert.Throws<ObjectDisposedException>(() => cache.Clone());
        Assert.Equal(0, cache.AllocatedBytes);
    }
}
