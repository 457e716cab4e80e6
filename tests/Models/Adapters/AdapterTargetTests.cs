using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Which modules options mean.</summary>
public class AdapterTargetTests
{
    public static TheoryData<string, ModelHead> FamiliesAndHeads() => AdapterSamples.FamiliesAndHeads();

    [Theory]
    [MemberData(nameof(FamiliesAndHeads))]
    public void All_linear_is_every_linear_layer_but_the_head(string family, ModelHead head)
    {
        using PretrainedModel model = AdapterSamples.Create(family, head);
        string own = model.Names.HeadOf(head);
        string[] linear = [.. model.named_modules().Where(pair => pair.module is Linear && pair.name != own).Select(pair => pair.name).Order()];

        LoraAdapter adapter = model.Adapters.Add(new LoraOptions { TargetModules = "ALL-linear" });

        Assert.Equal(linear, Adapted(model));

        // From twenty on, the shortest ends that mean the same are kept, as in PEFT; up to there, whole paths.
        ModuleNames named = adapter.Options.TargetModules!;
        Assert.Null(named.Pattern);
        if (linear.Length < 20) Assert.Equal(linear, named.Order());
        else Assert.Equal(linear.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct().Order(), named.Order());
        string[]? saved = head switch { ModelHead.CausalLanguageModel => null, ModelHead.QuestionAnswering => ["qa_outputs"], _ => ["classifier", "score"] };
        Assert.Equal(saved, adapter.Options.ModulesToSave);
        Assert.Equal(head == ModelHead.CausalLanguageModel, !model.named_parameters().Any(pair => pair.name.StartsWith($"{own}.modules_to_save.default.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("qwen2", "q_proj v_proj")]
    [InlineData("llama", "q_proj v_proj")]
    [InlineData("gpt_neox", "query_key_value")]
    [InlineData("phi", "q_proj v_proj fc1 fc2")]
    public void Without_targets_a_family_adapts_what_is_customary(string family, string expected)
    {
        using CausalLanguageModel model = AdapterSamples.Causal(family);
        LoraAdapter adapter = model.Adapters.Add(new LoraOptions());
        Assert.Equal(expected.Split(' '), adapter.Options.TargetModules!);
        Assert.Equal(expected.Split(' ').Order(), Adapted(model).Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct().Order());
    }

    [Theory]
    [InlineData("persimmon")]
    [InlineData("phi3")]
    public void Without_targets_and_custom_the_error_names_what_there_is(string family)
    {
        using CausalLanguageModel model = AdapterSamples.Causal(family);
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Adapters.Add(new LoraOptions()));
        Assert.Contains("all-linear", error.Message, StringComparison.Ordinal);
        Assert.Contains(family == "phi3" ? "gate_up_proj" : "query_key_value", error.Message, StringComparison.Ordinal);
        Assert.Contains("embed_tokens", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<LoraOptions, string> Choices() => new()
    {
        { new() { TargetModules = ["o_proj", "model.layers.1.mlp.up_proj"] }, "0.self_attn.o_proj 1.self_attn.o_proj 2.self_attn.o_proj 1.mlp.up_proj" },
        { new() { TargetModules = @".*\.[02]\.self_attn\.(q|k)_proj" }, "0.self_attn.q_proj 0.self_attn.k_proj 2.self_attn.q_proj 2.self_attn.k_proj" },
        { new() { TargetModules = @"(?!.*mlp).*1.*proj", ExcludeModules = ["v_proj"] }, "1.self_attn.q_proj 1.self_attn.k_proj 1.self_attn.o_proj" },
        { new() { TargetModules = "all-linear", ExcludeModules = @".*(self_attn|layers\.1).*|.*gate.*" }, "0.mlp.up_proj 0.mlp.down_proj 2.mlp.up_proj 2.mlp.down_proj" },
        { new() { TargetModules = ["q_proj", "embed_tokens"], LayersToTransform = [2, 0] }, "0.self_attn.q_proj 2.self_attn.q_proj" },
        { new() { TargetModules = ["q_proj"], LayersToTransform = [1], LayersPattern = ["layers", "h"] }, "1.self_attn.q_proj" },
        { new() { TargetModules = ["model.layers.0.mlp.up_proj", "q_proj"], LayersToTransform = [1] }, "0.mlp.up_proj 1.self_attn.q_proj" },
        { new() { TargetModules = ["up_proj", "v_proj"], ModulesToSave = ["layers.0", "1.mlp"] }, "1.self_attn.v_proj 2.self_attn.v_proj 2.mlp.up_proj" },
        { new() { TargetModules = ["embed_tokens", "lm_head", "layers.2.self_attn.k_proj"] }, "model.embed_tokens lm_head 2.self_attn.k_proj" },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Names_expressions_layers_and_exclusions_choose(LoraOptions options, string expected)
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        model.Adapters.Add(options);
        Assert.Equal(expected.Split(' ').Select(path => char.IsDigit(path[0]) ? $"model.layers.{path}" : path).Order(), Adapted(model));
    }

    [Fact]
    public void Ranks_and_alphas_follow_the_first_pattern_that_the_end_of_a_path_matches()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        model.Adapters.Add(new LoraOptions
        {
            Rank = 4,
            Alpha = 8,
            TargetModules = ["q_proj", "k_proj", "up_proj"],
            RankPattern = new() { ["layers.1.self_attn.q_proj"] = 6, ["q_proj"] = 2, [@"^model\.layers\.2.*up_proj"] = 9, ["proj"] = 50 },
            AlphaPattern = new() { [@".*[12].*k_proj"] = 3, ["_proj"] = 70 },
        });

        Assert.Equal(6, RankOf("1.self_attn.q_proj"));
        Assert.Equal(2, RankOf("0.self_attn.q_proj"));
        Assert.Equal(9, RankOf("2.mlp.up_proj"));
        Assert.Equal(4, RankOf("0.mlp.up_proj"));
        Assert.Equal(3.0 / 4, ScalingOf("1.self_attn.k_proj"));
        Assert.Equal(8.0 / 4, ScalingOf("0.self_attn.k_proj"));
        Assert.Equal(8.0 / 6, ScalingOf("1.self_attn.q_proj"));

        long RankOf(string path) => Layer(path).A.shape[0];

        double ScalingOf(string path) => Layer(path).Target.Scaling;

        LoraLayer Layer(string path) => model.Adapters["default"].Weights.Layers.Single(layer => layer.Target.Path == $"model.layers.{path}");
    }

    [Fact]
    public void Rank_stabilised_adapters_are_scaled_by_the_root_of_the_rank()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        LoraAdapter adapter = model.Adapters.Add(new LoraOptions { Rank = 9, Alpha = 6, UseRankStabilized = true });
        Assert.All(adapter.Weights.Layers, layer => Assert.Equal(2.0, layer.Target.Scaling));
    }

    public static TheoryData<LoraOptions, string[]> Mistakes() => new()
    {
        { new() { TargetModules = ["q_prj"] }, ["[q_prj]", "q_proj", "down_proj", "embed_tokens"] },
        { new() { TargetModules = ["_proj"] }, ["[_proj]", "q_proj"] },
        { new() { TargetModules = ".*query.*" }, ["query", "q_proj"] },
        { new() { TargetModules = ["q_proj"], LayersToTransform = [7] }, ["layers 7", "q_proj"] },
        { new() { TargetModules = ["q_proj"], ExcludeModules = ".*" }, ["ExcludeModules", "q_proj"] },
        { new() { TargetModules = ["self_attn"] }, ["model.layers.0.self_attn", "only linear layers and embeddings"] },
        { new() { TargetModules = ["q_proj", "norm"] }, ["model.norm", "only linear layers and embeddings"] },
        { new() { TargetModules = "(" }, ["TargetModules", "\"(\"", "regular expression"] },
        { new() { TargetModules = ["q_proj"], RankPattern = new() { ["[q"] = 2 } }, ["RankPattern", "\"[q\"", "regular expression"] },
        { new() { TargetModules = "(a*)*(.*)*(x+x+)+y" }, ["runs in circles"] },
        { new() { TargetModules = ["q_proj"], ModulesToSave = ["nrm"] }, ["ModulesToSave", "nrm"] },
        { new() { TargetModules = ["q_proj", ""] }, ["TargetModules", "empty"] },
        { new() { TargetModules = ["q_proj"], LayersPattern = ["layers"] }, ["LayersPattern", "LayersToTransform"] },
        { new() { TargetModules = "q_proj", LayersToTransform = [1] }, ["LayersToTransform", "list of names"] },
        { new() { TargetModules = ["q_proj"], LayersToTransform = [-1] }, ["LayersToTransform", "-1"] },
        { new() { Rank = 0 }, ["Rank is 0", "1 to 65536"] },
        { new() { Rank = 70000 }, ["Rank is 70000"] },
        { new() { RankPattern = new() { ["q_proj"] = -2 } }, ["RankPattern", "-2"] },
        { new() { Alpha = double.NaN }, ["Alpha is NaN"] },
        { new() { AlphaPattern = new() { ["q_proj"] = double.PositiveInfinity } }, ["AlphaPattern"] },
        { new() { Dropout = 1 }, ["Dropout is 1", "less than 1"] },
        { new() { Dropout = -0.1 }, ["Dropout is -0.1"] },
        { new() { Bias = (LoraBias)9 }, ["Bias is 9", "LoraOnly"] },
        { new() { Initialization = (LoraInitialization)9 }, ["Initialization is 9"] },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_refused_and_the_model_is_as_it_was(LoraOptions options, string[] expected)
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        string[] before = AdapterSamples.Trained(model);
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Adapters.Add(options));
        Assert.All(expected, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        Assert.Empty(model.Adapters);
        Assert.Equal(before, AdapterSamples.Trained(model));
    }

    [Fact]
    public void A_tied_head_is_not_there_to_be_adapted()
    {
        using CausalLanguageModel model = AdapterSamples.Causal(more: ", \"tie_word_embeddings\": true");
        Assert.Contains("lm_head", Assert.Throws<ArgumentException>(() => model.Adapters.Add(new LoraOptions { TargetModules = ["lm_head"] })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LoraInitialization.Default)]
    [InlineData(LoraInitialization.Gaussian)]
    [InlineData(LoraInitialization.Random)]
    public void Fresh_matrices_are_distributed_as_in_PEFT_and_follow_the_seed(LoraInitialization how)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal();
        var options = new LoraOptions { Rank = 64, TargetModules = ["up_proj", "embed_tokens"], Initialization = how };
        foreach (var (name, seed) in new[] { ("one", 1), ("same", 1), ("other", 2) }) model.Adapters.Add(options, name, seed);
        (Tensor A, Tensor B)[] linear = [.. Matrices("mlp.up_proj")], embedding = [.. Matrices("embed_tokens")];

        Assert.True(AdapterSamples.AreEqual(linear[0].A, linear[1].A));
        Assert.False(AdapterSamples.AreEqual(linear[0].A, linear[2].A));
        Assert.True(AdapterSamples.AreEqual(embedding[0].B, embedding[1].B));
        double bound = 1 / Math.Sqrt(48);
        if (how == LoraInitialization.Gaussian) Near(1.0 / 64, linear[0].A);
        else Uniform(bound, linear[0].A);
        if (how == LoraInitialization.Random) Uniform(1.0 / 8, linear[0].B);
        else Assert.Equal(0, TensorAssert.Largest(linear[0].B));
        Near(1, embedding[0].B);
        if (how == LoraInitialization.Random) Near(1, embedding[0].A);
        else Assert.Equal(0, TensorAssert.Largest(embedding[0].A));

        IEnumerable<(Tensor A, Tensor B)> Matrices(string end) =>
            model.Adapters.Select(adapter => adapter.Weights.Layers.First(layer => layer.Target.Path.EndsWith(end, StringComparison.Ordinal))).Select(layer => ((Tensor)layer.A, (Tensor)layer.B));

        static void Uniform(double bound, Tensor values)
        {
            Assert.InRange(TensorAssert.Largest(values), 0.9 * bound, bound);
            Near(bound / Math.Sqrt(3), values);
        }

        static void Near(double deviation, Tensor values)
        {
            Assert.Equal(1, values.std().item<float>() / deviation, 0.1);
            Assert.Equal(0, values.mean().item<float>() / deviation, 0.1);
        }
    }

    private static string[] Adapted(PretrainedModel model) => [.. model.Adapters.Single().Weights.Layers.Select(layer => layer.Target.Path).Order()];
}
