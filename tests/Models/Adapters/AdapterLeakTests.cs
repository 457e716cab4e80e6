using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class AdapterLeakTests
{
    public static TheoryData<ScalarType, bool, string> Kinds()
    {
        var data = new TheoryData<ScalarType, bool, string>();
        foreach (ScalarType dtype in new[] { ScalarType.Float32, ScalarType.BFloat16 })
            foreach (bool usesDora in new[] { false, true })
                foreach (string target in new[] { "all-linear", ".*(embed_tokens|q_proj)" }) data.Add(dtype, usesDora, target);
        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Forward_passes_and_training_steps_with_an_adapter_leave_no_tensor_behind(ScalarType dtype, bool usesDora, string target)
    {
        using var model = (SequenceClassificationModel)AdapterSamples.Create("qwen2", ModelHead.SequenceClassification, dtype);
        model.Adapters.Add(Options(usesDora, target));
        model.train();
        using Tensor ids = randint(3, 60, [3, 8]), mask = ones(3, 8, dtype: ScalarType.Int64), last = full([3], 7, ScalarType.Int64), labels = zeros(3, dtype: ScalarType.Int64);
        LeakTests.AssertSteady(() =>
        {
            using (no_grad())
            {
                model.forward(ids, mask).Dispose();
                using (model.Adapters.Disable()) model.ForwardPooled(ids, last).Dispose();
            }

            using (NewDisposeScope()) model.Loss(model.ForwardPooled(ids, last), labels).backward();
            foreach (var parameter in model.parameters())
            {
                parameter.grad?.Dispose();
                parameter.grad = null;
            }
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Adapters_that_come_and_go_leave_no_tensor_behind(ScalarType dtype, bool usesDora, string target)
    {
        using var folder = new TemporaryFolder();
        using var model = (SequenceClassificationModel)AdapterSamples.Create("phi", ModelHead.SequenceClassification, dtype);
        int made = 0;
        LeakTests.AssertSteady(() =>
        {
            LoraOptions options = Options(usesDora, target);
            options.Bias = LoraBias.All;
            model.Adapters.Add(options, "one").Save(folder.Path);
            int each = model.parameters().Count() - model.BaseParameters().Count();
            model.Adapters.Delete("one");
            model.Adapters.Load(folder.Path, "two");
            model.Adapters.Merge();
            model.Adapters.Unmerge();
            model.Adapters.Merge();
            model.Adapters.MergeAndUnload();
            model.Adapters.Load(folder.Path, "three", isTrainable: true);
            model.Adapters.Unload();
            File.WriteAllBytes(folder["adapter_model.safetensors"], File.ReadAllBytes(folder["adapter_model.safetensors"])[..^3]);
            Assert.Throws<FormatException>(() => model.Adapters.Load(folder.Path));
            made = 3 * each;
        }, () => made);
    }

    [Fact]
    public void A_model_releases_its_adapters_and_what_they_have_set_aside()
    {
        int made = 0;
        LeakTests.AssertSteady(() =>
        {
            using CausalLanguageModel model = AdapterSamples.Causal("phi");
            model.Adapters.Add(new LoraOptions { Bias = LoraBias.All, ModulesToSave = ["lm_head"], UseDora = true });
            model.Adapters.Merge();
            made = model.parameters().Count();
        }, () => made);
    }

    private static LoraOptions Options(bool usesDora, string target)
    {
        LoraOptions options = AdapterSamples.Loud(target);
        (options.UseDora, options.Dropout, options.ModulesToSave) = (usesDora, 0.1, ["norm"]);
        return options;
    }
}
