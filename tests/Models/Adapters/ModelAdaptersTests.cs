using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Several adapters in one model: what is active, what is trained, what the base's own file is.</summary>
public class ModelAdaptersTests
{
    private const string Query = "model.layers.0.self_attn.q_proj";

    [Fact]
    public void Parameters_are_named_as_PEFT_names_them_and_only_the_active_adapters_are_trained()
    {
        using var model = (SequenceClassificationModel)AdapterSamples.Create("qwen2", ModelHead.SequenceClassification);
        string[] all = AdapterSamples.Trained(model);
        model.Adapters.Add(new LoraOptions { TargetModules = ["0.self_attn.q_proj"], UseDora = true }, "one");
        string[] one =
        [
            $"{Query}.lora_A.one.weight", $"{Query}.lora_B.one.weight", $"{Query}.lora_magnitude_vector.one.weight", "score.modules_to_save.one.weight",
        ];
        Assert.Equal(one, AdapterSamples.Trained(model));
        Assert.Contains(model.named_parameters(), pair => pair.name == $"{Query}.weight");

        model.Adapters.Add(new LoraOptions { TargetModules = ["embed_tokens", "0.self_attn.q_proj"] }, "two");
        Assert.Equal(one, AdapterSamples.Trained(model));
        string[] two =
        [
            "model.embed_tokens.lora_embedding_A.two", "model.embed_tokens.lora_embedding_B.two", $"{Query}.lora_A.two.weight", $"{Query}.lora_B.two.weight",
            "score.modules_to_save.two.weight",
        ];
        model.Adapters.Activate("two");
        Assert.Equal(two, AdapterSamples.Trained(model));
        model.Adapters["two"].IsTrainable = false;
        Assert.Empty(AdapterSamples.Trained(model));
        model.Adapters["two"].IsTrainable = true;
        model.Adapters.Merge();
        Assert.Equal(["score.modules_to_save.two.weight"], AdapterSamples.Trained(model));
        model.Adapters.Unmerge();
        Assert.Equal(two, AdapterSamples.Trained(model));
        model.Adapters.Activate();
        Assert.Empty(AdapterSamples.Trained(model));
        model.Adapters.Delete("one");
        model.Adapters.Delete("two");
        Assert.Equal(all, AdapterSamples.Trained(model));
        Assert.Equal(all, model.named_parameters().Select(pair => pair.name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Weights_that_were_frozen_before_the_first_adapter_are_frozen_after_the_last()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        AdapterSamples.Part(model, Query).Weight.requires_grad = false;
        string[] before = AdapterSamples.Trained(model);
        model.Adapters.Add(new LoraOptions { Bias = LoraBias.All });
        model.Adapters.MergeAndUnload();
        Assert.Equal(before, AdapterSamples.Trained(model));
        Assert.DoesNotContain($"{Query}.weight", before);
    }

    [Theory]
    [InlineData(LoraBias.All)]
    [InlineData(LoraBias.LoraOnly)]
    public void Trained_biases_stay_while_the_adapter_is_disabled_and_go_when_it_is_deleted(LoraBias bias)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal("phi");
        Tensor plain = AdapterSamples.Scores(model);
        model.Adapters.Add(new LoraOptions { TargetModules = ["q_proj"], Bias = bias }, "biased");
        string[] trained = [.. AdapterSamples.Trained(model).Where(name => !name.Contains("lora_", StringComparison.Ordinal))];
        Assert.Equal(
            model.BaseParameters().Select(pair => pair.Name).Where(name => name.EndsWith(bias == LoraBias.All ? ".bias" : "q_proj.bias", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            trained);
        using (no_grad())
            foreach (var (name, value) in model.named_parameters())
                if (trained.Contains(name)) value.add_(0.5);
        Tensor biased = AdapterSamples.Scores(model);

        Assert.True(TensorAssert.Largest(biased - plain) > 0.01);
        using (model.Adapters.Disable()) Assert.True(AdapterSamples.AreEqual(biased, AdapterSamples.Scores(model)));
        Assert.Contains("'biased'", Assert.Throws<InvalidOperationException>(() => model.Adapters.Add(new LoraOptions { Bias = bias }, "second")).Message, StringComparison.Ordinal);
        model.Adapters.Add(new LoraOptions(), "plain");
        using var folder = new TemporaryFolder();
        model.Adapters["biased"].Save(folder.Path);
        model.Adapters.Unload();
        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
        model.Adapters.Load(folder.Path);
        Assert.True(AdapterSamples.AreEqual(biased, AdapterSamples.Scores(model)));
        model.Adapters.MergeAndUnload();
        Assert.True(AdapterSamples.AreEqual(biased, AdapterSamples.Scores(model)));
    }

    [Fact]
    public void Modules_to_save_are_trained_in_copies_one_for_each_adapter()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal("phi");
        Tensor plain = AdapterSamples.Scores(model);

        // By its end, as in PEFT: the norm of every layer, the projection, and the head with its bias.
        LoraOptions options = new() { TargetModules = ["fc1"], ModulesToSave = ["input_layernorm", "2.self_attn.dense", "lm_head"] };
        model.Adapters.Add(options, "one");
        model.Adapters.Add(options, "two");
        Assert.Equal(2 * ((3 * 2) + 2 + 2), model.named_parameters().Count(pair => pair.name.Contains(".modules_to_save.", StringComparison.Ordinal)));
        using (no_grad())
            foreach (var (name, value) in model.named_parameters())
                if (name.Contains("modules_to_save.two", StringComparison.Ordinal)) value.add_(0.1);

        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
        model.Adapters.Activate("two");
        Tensor changed = AdapterSamples.Scores(model);
        Assert.True(TensorAssert.Largest(changed - plain) > 0.01);
        Assert.Contains("trained whole", Assert.Throws<ArgumentException>(() => model.Adapters.Activate("one", "two")).Message, StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        model.Adapters["two"].Save(folder.Path);
        model.Adapters.Load(folder.Path, "three");
        model.Adapters.Activate("three");
        Assert.True(AdapterSamples.AreEqual(changed, AdapterSamples.Scores(model)));
        using (model.Adapters.Disable()) Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
        model.Adapters.MergeAndUnload();
        Assert.True(AdapterSamples.AreEqual(changed, AdapterSamples.Scores(model)));
    }

    [Fact]
    public void The_base_is_saved_without_adapters_and_not_at_all_while_it_is_not_itself()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        byte[] own = Weights(model);
        model.Adapters.Add(AdapterSamples.Loud(["q_proj"]), "loud");
        model.Adapters.Add(new LoraOptions { ModulesToSave = ["lm_head"] }, "other");
        using var folder = new TemporaryFolder();
        Assert.Equal(own, Weights(model));
        model.Save(folder.Path);
        using (CausalLanguageModel again = CausalLanguageModel.Load(folder.Path)) Assert.Equal(own, Weights(again));

        model.Adapters.Merge("loud");
        foreach (Action save in new Action[] { () => Weights(model), () => model.Save(folder.Path) })
            Assert.Contains("'loud'", Assert.Throws<InvalidOperationException>(save).Message, StringComparison.Ordinal);
        model.Adapters.Unmerge();
        model.Adapters.Add(new LoraOptions { Bias = LoraBias.LoraOnly }, "biased");
        Assert.Contains("'biased'", Assert.Throws<InvalidOperationException>(() => Weights(model)).Message, StringComparison.Ordinal);
        model.Adapters.Delete("biased");
        Assert.Equal(own, Weights(model));
        model.Adapters.MergeAndUnload("loud");
        Assert.NotEqual(own, Weights(model));
    }

    [Fact]
    public void Names_that_are_taken_unknown_or_impossible_are_refused_with_those_there_are()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        ModelAdapters adapters = model.Adapters;
        adapters.Add(new LoraOptions(), "first");
        adapters.Add(new LoraOptions(), "second");
        Contains("'first', 'second'", Assert.Throws<ArgumentException>(() => adapters.Add(new LoraOptions(), "first")));
        Contains("without dots", Assert.Throws<ArgumentException>(() => adapters.Add(new LoraOptions(), "a.b")));
        Assert.Throws<ArgumentException>(() => adapters.Add(new LoraOptions(), " "));
        foreach (Action action in new Action[]
        {
            () => adapters.Activate("first", "third"), () => adapters.Delete("third"), () => adapters.Merge("third"), () => adapters.MergeAndUnload("third"),
            () => adapters.AddCombination("sum", ("third", 1)), () => _ = adapters["third"],
        })
            Contains("'first', 'second'", Assert.Throws<KeyNotFoundException>(action));
        Contains("stands twice", Assert.Throws<ArgumentException>(() => adapters.Activate("first", "first")));
        Assert.Throws<ArgumentException>(() => adapters.AddCombination("sum"));
        Assert.Equal(["first", "second"], adapters.Names);
        Assert.Equal(["first"], adapters.Active);
    }

    [Fact]
    public void Merged_adapters_have_to_be_taken_out_before_anything_else_changes()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        ModelAdapters adapters = model.Adapters;
        LoraAdapter first = adapters.Add(AdapterSamples.Loud(["q_proj"]), "first");
        adapters.Add(AdapterSamples.Loud(["k_proj"]), "second");
        adapters.Merge("second", "first");
        Assert.Equal(["second", "first"], adapters.Merged);
        Assert.Equal(["second", "first"], adapters.Active);
        foreach (Action action in new Action[]
        {
            () => adapters.Add(new LoraOptions(), "third"), () => adapters.Activate("first"), () => adapters.Disable(), () => adapters.Merge(), () => adapters.Delete("first"),
            () => adapters.AddCombination("sum", ("first", 1)),
        })
            Contains("Unmerge", Assert.Throws<InvalidOperationException>(action));
        adapters.Unmerge();
        Assert.Empty(adapters.Merged);
        using (adapters.Disable())
        using (adapters.Disable()) Contains("disabled", Assert.Throws<InvalidOperationException>(() => adapters.Merge()));
        adapters.Activate();
        Contains("No adapter is active", Assert.Throws<InvalidOperationException>(() => adapters.MergeAndUnload()));
        Assert.Equal(2, adapters.Count);
        adapters.Unload();
        Contains("deleted", Assert.Throws<InvalidOperationException>(() => first.SaveWeights(Stream.Null)));
        Contains("deleted", Assert.Throws<InvalidOperationException>(() => first.IsTrainable = false));
    }

    [Fact]
    public void An_adapter_that_would_break_weights_is_not_merged_and_nothing_is_changed()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        byte[] own = Weights(model);
        model.Adapters.Add(AdapterSamples.Loud());
        using (no_grad()) model.Adapters["default"].Weights.Layers[^1].B.fill_(float.PositiveInfinity);
        Contains(model.Adapters["default"].Weights.Layers[^1].Target.Path, Assert.Throws<ArithmeticException>(() => model.Adapters.Merge()));
        Assert.Throws<ArithmeticException>(() => model.Adapters.MergeAndUnload());
        Assert.Single(model.Adapters);
        Assert.Equal(own, Weights(model));
    }

    [Fact]
    public void A_tied_embedding_is_adapted_on_its_way_in_only_and_cannot_be_merged()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal(more: ", \"tie_word_embeddings\": true");
        Tensor plain = AdapterSamples.Scores(model);
        model.Adapters.Add(AdapterSamples.Loud(["embed_tokens"]));
        Assert.True(TensorAssert.Largest(AdapterSamples.Scores(model) - plain) > 0.01);
        Contains("head shares", Assert.Throws<InvalidOperationException>(() => model.Adapters.Merge()));
        Contains("head shares", Assert.Throws<InvalidOperationException>(() => model.Adapters.MergeAndUnload()));
        model.Adapters.Unload();
        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
    }

    [Fact]
    public void A_copy_in_half_precision_keeps_the_type_of_the_model_and_matrices_do_not()
    {
        using var model = (TokenClassificationModel)AdapterSamples.Create("gpt_neox", ModelHead.TokenClassification, ScalarType.BFloat16);
        LoraAdapter adapter = model.Adapters.Add(new LoraOptions { Rank = 2, UseDora = true });
        foreach (var (name, value) in model.named_parameters().Where(pair => pair.parameter.requires_grad))
            Assert.Equal(name.Contains("modules_to_save", StringComparison.Ordinal) ? ScalarType.BFloat16 : ScalarType.Float32, value.dtype);
        Assert.Equal((3 * ((2 * (48 + 144)) + 144)) + (2 * 48) + 2, adapter.ParameterCount);
        Assert.Equal(["classifier", "score"], adapter.Options.ModulesToSave!);
        Assert.Equal("TOKEN_CLS", adapter.TaskType);
    }

    private static byte[] Weights(PretrainedModel model)
    {
        using var stream = new MemoryStream();
        model.SaveWeights(stream);
        return stream.ToArray();
    }

    private static void Contains(string expected, Exception error) => Assert.Contains(expected, error.Message, StringComparison.Ordinal);
}
