using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What holds for an adapter on any family and head.</summary>
public class AdapterForwardTests
{
    public static TheoryData<string, ModelHead> FamiliesAndHeads() => AdapterSamples.FamiliesAndHeads();

    public static TheoryData<string, bool> Families()
    {
        var data = new TheoryData<string, bool>();
        foreach (string family in AdapterSamples.Families)
            foreach (bool usesDora in new[] { false, true }) data.Add(family, usesDora);
        return data;
    }

    [Theory]
    [MemberData(nameof(FamiliesAndHeads))]
    public void A_fresh_adapter_changes_nothing_and_a_trained_one_does_until_it_is_gone(string family, ModelHead head)
    {
        using var scope = NewDisposeScope();
        using PretrainedModel model = AdapterSamples.Create(family, head);
        Tensor plain = AdapterSamples.Scores(model);

        model.Adapters.Add(new LoraOptions { TargetModules = "all-linear", UseDora = true }, "fresh");
        TensorAssert.Close(plain, AdapterSamples.Scores(model), "fresh");
        model.Adapters.Add(AdapterSamples.Loud(), "loud");
        TensorAssert.Close(plain, AdapterSamples.Scores(model), "not active");
        model.Adapters.Activate("loud");
        Tensor adapted = AdapterSamples.Scores(model);
        Assert.True(TensorAssert.Largest(adapted - plain) > 0.01);
        using (model.Adapters.Disable()) Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
        Assert.True(AdapterSamples.AreEqual(adapted, AdapterSamples.Scores(model)));
        model.Adapters.Delete("loud");
        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
        model.Adapters.Unload();
        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
        Assert.DoesNotContain(model.named_parameters(), pair => pair.name.Contains("lora", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(FamiliesAndHeads))]
    public void Merged_equals_unmerged_and_unmerging_restores_every_bit(string family, ModelHead head)
    {
        using var scope = NewDisposeScope();
        using PretrainedModel model = AdapterSamples.Create(family, head);
        Tensor[] weights = [.. model.parameters().Select(parameter => parameter.detach().clone())];
        model.Adapters.Add(AdapterSamples.Loud(), "one", seed: 1);
        LoraOptions dora = AdapterSamples.Loud();
        dora.UseDora = true;
        dora.ExcludeModules = ".*layers\\.0.*";
        model.Adapters.Add(dora, "two", seed: 2);
        foreach (var (name, value) in model.named_parameters())
            if (name.Contains("lora_magnitude", StringComparison.Ordinal)) value.copy_(value.detach() * 1.3);
        if (head == ModelHead.CausalLanguageModel) model.Adapters.Activate("one", "two");
        else model.Adapters.Activate("two");
        Tensor adapted = AdapterSamples.Scores(model);

        model.Adapters.Merge();
        TensorAssert.Close(adapted, AdapterSamples.Scores(model), "merged");
        model.Adapters.Unmerge();
        Assert.True(AdapterSamples.AreEqual(adapted, AdapterSamples.Scores(model)));
        foreach (var (before, (_, after)) in weights.Zip(model.BaseParameters())) Assert.True(AdapterSamples.AreEqual(before, after));
        model.Adapters.MergeAndUnload();
        TensorAssert.Close(adapted, AdapterSamples.Scores(model), "merged for good");
        Assert.Equal(weights.Length, model.parameters().Count());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Eager_equals_sdpa_and_cached_equals_uncached(string family, bool usesDora)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        LoraOptions options = AdapterSamples.Loud(".*(proj|dense.*|query_key_value|fc.|embed.*)");
        options.UseDora = usesDora;
        using CausalLanguageModel sdpa = AdapterSamples.Causal(family);
        using var eager = (CausalLanguageModel)AdapterSamples.Create(family, ModelHead.CausalLanguageModel, attention: AttentionImplementation.Eager);
        sdpa.Adapters.Add(options);
        eager.Adapters.Add(options);
        Tensor ids = AdapterSamples.Ids();
        Tensor expected = sdpa.forward(ids);

        TensorAssert.Close(expected, eager.forward(ids), "eager");
        using var cache = new DynamicCache();
        Tensor[] parts = [.. new[] { (0, 4), (4, 1), (5, 4) }.Select(part => sdpa.Forward(new DecoderInput { InputIds = ids.narrow(1, part.Item1, part.Item2), Cache = cache }).Logits)];
        TensorAssert.Close(expected, cat(parts, 1), "cached");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void The_fast_way_of_classifying_equals_the_plain_one(string family, bool usesDora)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = (SequenceClassificationModel)AdapterSamples.Create(family, ModelHead.SequenceClassification);
        LoraOptions options = AdapterSamples.Loud();
        options.UseDora = usesDora;
        model.Adapters.Add(options);
        Tensor ids = AdapterSamples.Ids(), last = tensor(new long[] { 8, 3, 5 });
        ids = ids.where(arange(9).unsqueeze(0) <= last.unsqueeze(1), zeros_like(ids));

        TensorAssert.Close(model.forward(ids, (ids != 0).to(ScalarType.Int64)), model.ForwardPooled(ids, last), "pooled");
    }

    [Fact]
    public void The_changes_of_active_adapters_add_up()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal(), twin = AdapterSamples.Causal();
        model.Adapters.Add(AdapterSamples.Loud(), "one", seed: 1);
        model.Adapters.Add(AdapterSamples.Loud(["q_proj", "down_proj"]), "two", seed: 2);
        model.Adapters.Activate("two", "one");
        twin.Adapters.Add(AdapterSamples.Loud(), "one", seed: 1);
        twin.Adapters.Merge();
        twin.Adapters.MergeAndUnload();
        twin.Adapters.Add(AdapterSamples.Loud(["q_proj", "down_proj"]), "two", seed: 2);

        TensorAssert.Close(AdapterSamples.Scores(twin), AdapterSamples.Scores(model), "both");
    }

    [Fact]
    public void A_combination_does_what_its_parts_do_together()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal();
        LoraOptions other = AdapterSamples.Loud(["q_proj", "embed_tokens"]);
        other.RankPattern.Add("layers.1.self_attn.q_proj", 5);
        model.Adapters.Add(AdapterSamples.Loud(), "one", seed: 1);
        model.Adapters.Add(other, "two", seed: 2);
        model.Adapters.AddCombination("sum", ("one", 1), ("two", 1));
        model.Adapters.AddCombination("rest", ("sum", 1), ("one", -1), ("two", -0.5));
        model.Adapters.AddCombination("rest2", ("two", 0.5));

        model.Adapters.Activate("one", "two");
        Tensor together = AdapterSamples.Scores(model);
        model.Adapters.Activate("sum");
        TensorAssert.Close(together, AdapterSamples.Scores(model), "sum");
        model.Adapters.Activate("rest", "rest2");
        Tensor rest = AdapterSamples.Scores(model);
        model.Adapters.Activate("two");
        TensorAssert.Close(AdapterSamples.Scores(model), rest, "what is left of the sum");
        Assert.Equal(8, model.Adapters["sum"].Options.Rank);
    }

    [Fact]
    public void Single_precision_matrices_on_a_bfloat16_model_are_rounded_once_after_the_sum()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal(dtype: ScalarType.BFloat16);
        const string Path = "model.layers.0.self_attn.q_proj";
        model.Adapters.Add(AdapterSamples.Loud(["q_proj"]));
        WeightedModule part = AdapterSamples.Part(model, Path);
        Tensor a = Parameter("lora_A"), b = Parameter("lora_B"), input = randn(2, 5, 48).bfloat16();

        Tensor plain = part.Compute(input, part.Weight, part.Bias).to(ScalarType.Float32);
        Tensor expected = (plain + (nn.functional.linear(nn.functional.linear(input.to(ScalarType.Float32), a), b) * 2)).bfloat16();

        Tensor actual = part.forward(input);
        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        Assert.True(((actual - expected).abs() <= expected.abs() / 128).all().item<bool>());
        Assert.True((actual == expected).to(ScalarType.Float32).mean().item<float>() > 0.95);

        Tensor Parameter(string which)
        {
            Tensor value = model.named_parameters().Single(pair => pair.name == $"{Path}.{which}.default.weight").parameter;
            Assert.Equal(ScalarType.Float32, value.dtype);
            return value;
        }
    }
}
