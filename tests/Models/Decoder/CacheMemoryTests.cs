using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class CacheMemoryTests
{
    private const int Window = 5;

    [Fact]
    public void Sliding_layers_hold_the_window_less_one_in_a_room_of_twice_the_window()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (int[] chunks in new int[][] { [.. Enumerable.Repeat(1, 400)], [400], [3, 300, 1, 96], [.. Enumerable.Repeat(8, 50)], [.. Enumerable.Repeat(new[] { 5, 6, 2, 3, 4 }, 20).SelectMany(c => c)] })
        {
            using var layer = new CacheLayer(Window);
            foreach (int count in chunks)
            {
                int held = Math.Min(layer.Seen, Window - 1);
                (Tensor keys, Tensor values) = layer.Append(Tokens(layer.Seen, count), -Tokens(layer.Seen, count));

                // In order, and the last ones.
                TensorAssert.Within(Tokens(layer.Seen - count - held, count + held), keys, 0, "keys");
                TensorAssert.Within(keys, -values, 0, "values");
                Assert.Equal(Math.Min(layer.Seen, Window - 1), layer.Held);
                Assert.InRange(layer.Room!.shape[3], 1, 2 * Window);
            }

            Assert.Equal(400, layer.Seen);
        }
    }

    [Fact]
    public void A_new_token_is_all_that_is_written_and_the_room_doubles()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var layer = new CacheLayer(window: null);
        List<long> rooms = [];
        for (int token = 0; token < 1000; token++)
        {
            (Tensor keys, _) = layer.Append(Tokens(token, 1), Tokens(token, 1));

            // A part of the room: from one head to the next is a whole room.
            long room = layer.Room!.shape[3];
            Assert.Equal(room * 2, keys.stride(1));
            if (rooms.LastOrDefault() != room) rooms.Add(room);
        }

        Assert.Equal([64, 128, 256, 512, 1024], rooms);
    }

    [Fact]
    public void A_model_whose_layers_all_slide_needs_no_more_memory_for_a_longer_text()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("phi3, all layers slide");
        using var model = new CausalLanguageModel(config, seed: 1);
        using var bounded = new DynamicCache(config);
        using var unbounded = new DynamicCache();
        Tensor ids = randint(3, 60, [1, 300]);
        KeyValueCacheTests.Run(model, bounded, ids, 10, 1, 1);
        long before = bounded.AllocatedBytes;

        KeyValueCacheTests.Run(model, bounded, ids, 250, 1, 1, 30);
        KeyValueCacheTests.Run(model, unbounded, ids, 300);

        Assert.Equal(KeyValueCache.BytesPerToken(config, ScalarType.Float32) * 2 * config.SlidingWindow, before);
        Assert.Equal(before, bounded.AllocatedBytes);
        Assert.Equal(KeyValueCache.BytesPerToken(config, ScalarType.Float32) * 512, unbounded.AllocatedBytes);
    }

    [Fact]
    public void A_static_cache_takes_its_memory_once()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2, some layers slide");
        using var model = new CausalLanguageModel(config, seed: 1, ScalarType.BFloat16);
        using var cache = new StaticCache(config, 3, 50, ScalarType.BFloat16);
        Assert.Equal((0, 3, 50), (cache.Length, cache.BatchSize, cache.MaxLength));

        // One full layer of 50 tokens, two sliding ones of twice their window.
        long bytes = KeyValueCache.BytesPerToken(config, ScalarType.BFloat16) / config.LayerCount * 3 * (50 + (2 * 2 * Window));
        Assert.Equal(bytes, cache.AllocatedBytes);
        KeyValueCacheTests.Run(model, cache, randint(3, 60, [3, 50]), 20, 1, 1, 28);
        Assert.Equal(bytes, cache.AllocatedBytes);
        cache.Reorder(tensor(new long[] { 2, 2, 0 }));
        Assert.Equal(bytes, cache.AllocatedBytes);
        cache.Select(tensor(new long[] { 1 }));
        Assert.Equal(bytes / 3, cache.AllocatedBytes);

        // Sliding layers of a short text have no more room than it.
        using var small = new StaticCache(config, 1, 6);
        Assert.Equal(KeyValueCache.BytesPerToken(config, ScalarType.Float32) * 6, small.AllocatedBytes);
    }

    /// <summary>Tokens that say which they are: <c>[1, 2, count, 2]</c>.</summary>
    private static Tensor Tokens(int first, int count) => arange(first, first + count, ScalarType.Float32).view(1, 1, -1, 1).expand(1, 2, -1, 2);
}
