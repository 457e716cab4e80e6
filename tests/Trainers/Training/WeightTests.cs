using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

public class WeightTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_snapshot_brings_back_the_weights_it_was_taken_of(ScalarType dtype)
    {
        using SequenceClassificationModel model = TinyModel.Model(2, dtype);
        using var snapshot = new WeightSnapshot();
        float[] Weights() => [.. model.parameters().SelectMany(parameter => parameter.to(ScalarType.Float32).data<float>().ToArray())];
        void Change()
        {
            using var noGradients = no_grad();
            foreach (var parameter in model.parameters()) parameter.add_(1);
        }

        float[] first = Weights();
        snapshot.Restore(model);
        Assert.Equal(first, Weights());
        snapshot.Take(model);
        Change();
        float[] second = Weights();
        Assert.NotEqual(first, second);
        snapshot.Take(model);
        Change();
        snapshot.Restore(model);
        Assert.Equal(second, Weights());
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_snapshot_survives_the_scope_it_was_taken_in_and_frees_its_copies()
    {
        using SequenceClassificationModel model = TinyModel.Model(2);
        long before = Tensor.TotalCount;
        var snapshot = new WeightSnapshot();
        using (NewDisposeScope()) snapshot.Take(model);
        Assert.True(Tensor.TotalCount > before);
        snapshot.Restore(model);
        snapshot.Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Biases_and_norms_do_not_decay()
    {
        using SequenceClassificationModel model = TinyModel.Model(2);
        Dictionary<string, TorchSharp.Modules.Parameter> named = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        ParameterGroup[] groups = [.. ParameterGroups.Of(model, 0.25)];
        Assert.Equal([0.25, 0], groups.Select(group => group.WeightDecay));
        string[] Names(ParameterGroup group) => [.. named.Where(pair => group.Parameters.Any(parameter => parameter.Handle == pair.Value.Handle)).Select(pair => pair.Key).Order()];
        Assert.Equal(named.Keys.Where(name => name.EndsWith("_proj.weight", StringComparison.Ordinal) || name is "score.weight" or "model.embed_tokens.weight").Order(), Names(groups[0]));
        Assert.Equal(named.Keys.Where(name => name.EndsWith("bias", StringComparison.Ordinal) || name.EndsWith("norm.weight", StringComparison.Ordinal)).Order(), Names(groups[1]));
        Assert.Equal(named.Count, groups.Sum(group => group.Parameters.Count));
    }

    [Fact]
    public void Lower_layers_learn_slower_by_the_layerwise_decay()
    {
        using SequenceClassificationModel model = TinyModel.Model(2);
        ParameterGroup[] groups = [.. ParameterGroups.Of(model, 0.25, layerwiseDecay: 0.5)];
        double ScaleOf(string name)
        {
            nint handle = model.named_parameters().Single(pair => pair.name == name).parameter.Handle;
            return groups.Single(group => group.Parameters.Any(parameter => parameter.Handle == handle)).LearningRateScale;
        }

        Assert.Equal(1, ScaleOf("score.weight"));
        Assert.Equal(1, ScaleOf("model.norm.weight"));
        Assert.Equal(0.5, ScaleOf("model.layers.1.mlp.up_proj.weight"));
        Assert.Equal(0.25, ScaleOf("model.layers.0.input_layernorm.weight"));
        Assert.Equal(0.125, ScaleOf("model.embed_tokens.weight"));
        Assert.Equal(model.parameters().Count(), groups.Sum(group => group.Parameters.Count));
    }

    [Fact]
    public void Frozen_weights_are_in_no_group()
    {
        using SequenceClassificationModel model = TinyModel.Model(2);
        foreach (var (name, parameter) in model.named_parameters()) parameter.requires_grad = name == "score.weight";
        Assert.Equal([1, 0], ParameterGroups.Of(model, 0.25).Select(group => group.Parameters.Count));
    }
}
