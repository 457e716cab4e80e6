using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What is told about a checkpoint that does not fit, and what is made of it where the caller asks.</summary>
public class CheckpointReportTests
{
    [Fact]
    public void A_checkpoint_that_does_not_fit_is_refused_with_whole_lists()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        Spoil(model, folder);

        string message = Assert.Throws<FormatException>(() => CausalLanguageModel.Load(folder.Path)).Message;

        Assert.Contains("2 missing: model.layers.0.self_attn.k_proj.bias, model.layers.1.mlp.up_proj.weight", message);
        Assert.Contains("2 of another shape: ", message);
        Assert.Contains("model.norm.weight: found [25], expected [24]", message);
        Assert.Contains("model.layers.2.self_attn.q_proj.bias: found [1, 24], expected [24]", message);
        Assert.Contains("1 unexpected: model.layers.1.mlp.up_projection.weight", message);
        Assert.Contains("1 ignored: score.weight", message);
    }

    [Fact]
    public void Where_mismatched_sizes_are_ignored_the_rest_is_loaded_and_the_others_are_initialised_and_reported()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        Spoil(model, folder);

        using CausalLanguageModel first = CausalLanguageModel.Load(folder.Path, seed: 3, ignoreMismatchedSizes: true);
        using CausalLanguageModel second = CausalLanguageModel.Load(folder.Path, seed: 3, ignoreMismatchedSizes: true);

        CheckpointReport report = first.Report!;
        Assert.False(report.IsExact);
        Assert.Equal(["lm_head.weight"], report.Fresh);
        Assert.Equal(["model.layers.0.self_attn.k_proj.bias", "model.layers.1.mlp.up_proj.weight"], report.Missing);
        Assert.Equal(["model.layers.2.self_attn.q_proj.bias: found [1, 24], expected [24]", "model.norm.weight: found [25], expected [24]"], report.Mismatched.Order());
        Assert.Equal(["model.layers.1.mlp.up_projection.weight"], report.Unexpected);
        Assert.Equal(["score.weight"], report.Ignored);
        Assert.All(report.Missing, name => Assert.Contains(name, $"{report}"));
        ModelSamples.AssertSameWeights(first, second);
        string[] given = [.. report.Fresh, .. report.Missing, .. report.Mismatched.Select(text => text.Split(':')[0])];
        foreach (var (name, parameter) in first.named_parameters())
            Assert.Equal(given.Contains(name), !parameter.equal(model.get_parameter(name)!).all().item<bool>());
        Assert.True(first.get_parameter("model.norm.weight")!.eq(1).all().item<bool>());
        Assert.True(first.get_parameter("model.layers.2.self_attn.q_proj.bias")!.eq(0).all().item<bool>());
    }

    [Fact]
    public void Every_head_can_ignore_mismatched_sizes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        Spoil(model, folder);

        PretrainedModel[] models =
        [
            SequenceClassificationModel.Load(folder.Path, labelCount: 5, ignoreMismatchedSizes: true), TokenClassificationModel.Load(folder.Path, ignoreMismatchedSizes: true),
            QuestionAnsweringModel.Load(folder.Path, ignoreMismatchedSizes: true),
        ];

        Assert.All(models, loaded => Assert.Equal(2, loaded.Report!.Missing.Count));
        foreach (PretrainedModel loaded in models) loaded.Dispose();
    }

    [Fact]
    public void A_model_that_fits_reports_nothing_whether_or_not_mismatches_are_ignored()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        model.Save(folder.Path);

        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path, ignoreMismatchedSizes: true);

        Assert.True(loaded.Report!.IsExact);
        Assert.Equal("every tensor found its place", $"{loaded.Report}");
        ModelSamples.AssertSameWeights(model, loaded);
    }

    [Fact]
    public void Norms_that_a_checkpoint_calls_gamma_and_beta_are_read()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        using (no_grad())
            foreach (Tensor parameter in model.parameters()) parameter.normal_();
        model.Save(folder.Path);
        SafetensorsWriter.Write(folder[ModelFolder.WeightsName], model.named_parameters().Select(pair => new KeyValuePair<string, Tensor>(
            pair.name.Contains("norm") ? pair.name.Replace(".weight", ".gamma") : pair.name.Replace(".bias", ".beta"), pair.parameter)));

        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);

        Assert.True(loaded.Report!.IsExact, $"{loaded.Report}");
        ModelSamples.AssertSameWeights(model, loaded);
    }

    [Fact]
    public void A_tensor_under_its_old_and_its_new_name_is_refused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        model.Save(folder.Path);
        SafetensorsWriter.Write(folder[ModelFolder.WeightsName],
            model.named_parameters().Select(pair => new KeyValuePair<string, Tensor>(pair.name, pair.parameter)).Append(new("model.norm.gamma", zeros(24))));

        string message = Assert.Throws<FormatException>(() => CausalLanguageModel.Load(folder.Path)).Message;

        Assert.Contains("'model.norm.gamma'", message);
        Assert.Contains("'model.norm.weight'", message);
    }

    /// <summary>Saves a model with a tensor too many, one too few, one renamed, two of another shape, no head, and another head.</summary>
    private static void Spoil(CausalLanguageModel model, TemporaryFolder folder)
    {
        using (no_grad())
            foreach (Tensor parameter in model.parameters()) parameter.normal_(); // nothing is what it is initialised to
        model.Save(folder.Path);
        Dictionary<string, Tensor> weights = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        weights["model.norm.weight"] = zeros(25);
        weights["model.layers.2.self_attn.q_proj.bias"] = ones(1, 24);
        weights["model.layers.1.mlp.up_projection.weight"] = weights["model.layers.1.mlp.up_proj.weight"];
        weights.Remove("model.layers.1.mlp.up_proj.weight");
        weights.Remove("model.layers.0.self_attn.k_proj.bias");
        weights.Remove("lm_head.weight");
        weights["score.weight"] = zeros(3, 24);
        SafetensorsWriter.Write(folder[ModelFolder.WeightsName], weights);
    }
}
