using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class LeakTests
{
    [Theory]
    [InlineData(AttentionImplementation.ScaledDotProduct, ScalarType.Float32)]
    [InlineData(AttentionImplementation.Eager, ScalarType.Float32)]
    [InlineData(AttentionImplementation.ScaledDotProduct, ScalarType.BFloat16)]
    public void Forward_passes_and_training_steps_leave_no_tensor_behind(AttentionImplementation attention, ScalarType dtype)
    {
        using var model = new SequenceClassificationModel(
            ModelSamples.Config(""", "use_sliding_window": true, "sliding_window": 3, "max_window_layers": 1"""), seed: 1, dtype, attention: attention);
        using Tensor ids = randint(3, 60, [3, 8]);
        using Tensor mask = ones(3, 8, dtype: ScalarType.Int64);
        using Tensor last = full([3], 7, ScalarType.Int64);
        using Tensor labels = zeros(3, dtype: ScalarType.Int64);
        AssertSteady(() =>
        {
            using (no_grad())
            {
                model.forward(ids, mask).Dispose();
                model.ForwardPooled(ids, last).Dispose();
            }

            // Gradient functions written in .NET leave their results to the scope that the backward pass is in.
            using (NewDisposeScope()) model.Loss(model.ForwardPooled(ids, last), labels).backward();
            Forget();

            model.train();
            model.GradientCheckpointing = true;
            using (NewDisposeScope()) model.Loss(model.ForwardPooled(ids, last), labels).backward();
            using (NewDisposeScope()) model.Loss(model.forward(ids, mask), labels).backward();
            model.GradientCheckpointing = false;
            model.eval();
            Forget();
        });

        void Forget()
        {
            foreach (var parameter in model.parameters())
            {
                parameter.grad?.Dispose();
                parameter.grad = null;
            }
        }
    }

    [Fact]
    public void A_model_its_outputs_and_its_cache_are_released()
    {
        using Tensor ids = randint(3, 60, [2, 8]);
        using var folder = new TemporaryFolder();
        int parametersMade = 0;
        AssertSteady(() =>
        {
            using (var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1))
            {
                model.Save(folder.Path);

                // This model's, the loaded one's, and those of the model without memory that the checkpoint is compared with.
                parametersMade = 3 * model.parameters().Count();
            }

            using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path, attention: AttentionImplementation.Eager);
            using (no_grad())
            {
                using var cache = new DynamicCache();
                for (int step = 0; step < 3; step++)
                    loaded.Forward(new DecoderInput { InputIds = ids, Cache = cache, OutputHiddenStates = true, OutputAttentions = true }, logitsToKeep: 1).Dispose();
            }
        }, () => parametersMade);
    }

    [Theory]
    [InlineData(CacheKind.Dynamic)]
    [InlineData(CacheKind.DynamicForModel)]
    [InlineData(CacheKind.Static)]
    public void A_cache_and_all_that_is_done_with_it_leave_no_tensor_behind(CacheKind kind)
    {
        DecoderConfig config = CacheModels.Config("qwen2, some layers slide");
        using var model = new CausalLanguageModel(config, seed: 1);
        using Tensor ids = randint(3, 60, [2, 70]);
        using Tensor swapped = tensor(new long[] { 1, 0 });
        using Tensor last = tensor(new long[] { 3 });
        using Tensor wrong = tensor(new long[] { 4, 0 });
        using Tensor kept = tensor(new long[] { -1, 0 });
        AssertSteady(() =>
        {
            using var noGradient = no_grad();
            using KeyValueCache cache = kind.Make(config, 2, 150);
            foreach (int length in new[] { 3, 1, 1, 70, 1, 12 })
            {
                using Tensor chunk = ids.narrow(1, 0, length);
                model.Forward(new DecoderInput { InputIds = chunk, Cache = cache }, kept).Dispose();
            }

            cache.Reorder(swapped);
            using KeyValueCache clone = cache.Clone();
            clone.Repeat(2);
            clone.Select(last);
            Assert.Throws<ArgumentException>(() => cache.Reorder(wrong));
            Assert.Throws<ArgumentException>(() => model.Forward(new DecoderInput { InputIds = ids, Cache = clone }));
            if (kind == CacheKind.Dynamic) clone.Crop(2);
            clone.Reset();
        });
    }

    /// <param name="action">What is to leave nothing behind.</param>
    /// <param name="parametersMade">
    /// How many parameters it makes. TorchSharp's constructor of a parameter takes over the tensor it is given, but goes on counting it as one more.
    /// </param>
    internal static void AssertSteady(Action action, Func<int>? parametersMade = null)
    {
        // The first round fills tables that stay.
        action();
        Collect();
        long before = Tensor.TotalCount;

        const int Rounds = 3;
        for (int round = 0; round < Rounds; round++) action();

        // Without collecting first: what is disposed in time needs no collector.
        Assert.Equal(before + (Rounds * (parametersMade?.Invoke() ?? 0)), Tensor.TotalCount);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
