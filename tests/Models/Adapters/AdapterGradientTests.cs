using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Gradients of adapters, against the same written out with W + Δ, and against differences.</summary>
public class AdapterGradientTests
{
    [Theory]
    [InlineData("qwen2", "model.layers.1.self_attn.q_proj", false)]
    [InlineData("qwen2", "model.layers.1.mlp.down_proj", true)]
    [InlineData("phi3", "model.layers.0.self_attn.qkv_proj", true)]
    [InlineData("gpt_neox", "gpt_neox.layers.2.attention.query_key_value", false)]
    [InlineData("qwen2", "model.embed_tokens", false)]
    [InlineData("qwen2", "model.embed_tokens", true)]
    public void Gradients_are_those_of_the_weight_with_the_adapter_in_it(string family, string path, bool usesDora)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal(family), written = AdapterSamples.Causal(family);
        LoraOptions options = AdapterSamples.Loud([path]);
        options.UseDora = usesDora;
        model.Adapters.Add(options);
        Dictionary<string, Parameter> own = model.named_parameters().Where(pair => pair.name.StartsWith(path + ".lora", StringComparison.Ordinal))
            .ToDictionary(pair => pair.name[(path.Length + 1)..], pair => pair.parameter);
        Assert.Equal(usesDora ? 3 : 2, own.Count);
        Dictionary<string, Tensor> twins = own.ToDictionary(pair => pair.Key, pair => pair.Value.detach().clone().requires_grad_());
        Tensor A = twins.Single(pair => pair.Key.Contains("_A", StringComparison.Ordinal)).Value, B = twins.Single(pair => pair.Key.Contains("_B", StringComparison.Ordinal)).Value;
        WeightedModule part = AdapterSamples.Part(written, path);
        part.Weight.requires_grad = false;
        bool isEmbedding = part is TokenEmbedding;
        part.Adapted = input =>
        {
            Tensor weight = part.Weight + ((isEmbedding ? B.matmul(A).t() : B.matmul(A)) * 2);
            if (usesDora)
            {
                // The norm counts as a constant.
                int along = isEmbedding ? 0 : 1;
                weight = weight * (twins["lora_magnitude_vector.default.weight"].unsqueeze(along) / weight.detach().norm(along, keepdim: true));
            }

            return part.Compute(input, weight, part.Bias);
        };
        Tensor ids = AdapterSamples.Ids(), labels = AdapterSamples.Ids();

        // A padding id: an embedding gives it no gradient.
        ids[0, 8] = 0;
        CausalLanguageModel.Loss(model.forward(ids), labels).backward();
        CausalLanguageModel.Loss(written.forward(ids), labels).backward();

        foreach (var (name, parameter) in own) TensorAssert.CloseGradient(twins[name].grad!, parameter.grad!, name);
        foreach (var (name, parameter) in model.BaseParameters()) Assert.True(parameter.grad is null, name);
        if (isEmbedding) Assert.Equal(0, TensorAssert.Largest(own.Single(pair => pair.Key.Contains("_A", StringComparison.Ordinal)).Value.grad!.select(1, 0)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_are_the_slopes_of_the_loss(bool usesDora)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal("phi", ScalarType.Float64);
        LoraOptions options = AdapterSamples.Loud("all-linear");
        options.UseDora = usesDora;
        options.Bias = LoraBias.All;
        model.Adapters.Add(options);
        Tensor ids = AdapterSamples.Ids();
        Loss().backward();
        var random = new Random(3);
        foreach (var (name, parameter) in model.named_parameters().Where(pair => pair.parameter.requires_grad))
        {
            // With magnitudes, the slope along A and B is that of a constant norm, which differences do not keep.
            if (usesDora && (name.Contains("lora_A", StringComparison.Ordinal) || name.Contains("lora_B", StringComparison.Ordinal))) continue;
            Assert.Equal(ScalarType.Float64, parameter.dtype);
            long index = random.NextInt64(parameter.NumberOfElements);
            const double Step = 1e-5;
            double above = Nudged(parameter, index, Step), below = Nudged(parameter, index, -Step);
            Assert.Equal((above - below) / (2 * Step), parameter.grad!.reshape(-1)[index].item<double>(), 1e-5);
        }

        Tensor Loss() => nn.functional.cross_entropy(model.forward(ids).reshape(-1, 60), ids.roll(1, 1).reshape(-1));

        double Nudged(Parameter parameter, long index, double step)
        {
            using var noGradient = no_grad();
            Tensor element = parameter.view(-1)[index];
            element.add_(step);
            double loss = Loss().item<double>();
            element.add_(-step);
            return loss;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dropout_acts_on_what_goes_into_the_matrices_in_training_only(bool usesDora)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal();
        const string Path = "model.layers.0.mlp.up_proj";
        LoraOptions options = AdapterSamples.Loud(["up_proj"]);
        (options.Dropout, options.UseDora) = (0.5, usesDora);
        model.Adapters.Add(options);
        WeightedModule part = AdapterSamples.Part(model, Path);
        Tensor A = Get("lora_A"), B = Get("lora_B"), input = randn(4, 6, 48);
        Tensor? magnitude = usesDora ? Get("lora_magnitude_vector").requires_grad_(false).mul_(1.5).requires_grad_() : null;
        TensorAssert.Close(Written(input), part.forward(input), "evaluation");

        model.train();
        manual_seed(5);
        Tensor actual = part.forward(input);
        manual_seed(5);
        Tensor expected = Written(nn.functional.dropout(input, 0.5, training: true));
        TensorAssert.Close(expected, actual, "training");
        Tensor[] found = Gradients(actual), wanted = Gradients(expected);
        foreach (var (one, other) in wanted.Zip(found)) TensorAssert.CloseGradient(one, other, "gradient");
        Assert.False(AdapterSamples.AreEqual(actual, part.forward(input)));

        // With dropped input x: W x₀ + b + (f - 1) W x + f Δ x, where f = 1 without magnitudes.
        Tensor Written(Tensor x)
        {
            Tensor change = nn.functional.linear(nn.functional.linear(x, A), B) * 2;
            Tensor plain = part.Compute(input, part.Weight, part.Bias);
            if (magnitude is null) return plain + change;
            Tensor factor = magnitude / (part.Weight + (B.matmul(A) * 2)).detach().norm(1);
            return plain + ((factor - 1) * nn.functional.linear(x, part.Weight)) + (factor * change);
        }

        Tensor[] Gradients(Tensor output)
        {
            Parameter[] trained = [.. model.parameters().Where(parameter => parameter.requires_grad)];
            output.square().sum().backward();
            Tensor[] gradients = [.. trained.Where(parameter => parameter.grad is not null).Select(parameter => parameter.grad!.clone())];
            foreach (Parameter parameter in trained) parameter.grad = null;
            return gradients;
        }

        Parameter Get(string which) => model.named_parameters().Single(pair => pair.name == $"{Path}.{which}.default.weight").parameter;
    }

    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.BFloat16, false)]
    [InlineData(ScalarType.BFloat16, true)]
    public void A_few_steps_lower_the_loss_and_leave_the_base_alone(ScalarType dtype, bool usesDora)
    {
        using var scope = NewDisposeScope();
        using var model = (SequenceClassificationModel)AdapterSamples.Create("persimmon", ModelHead.SequenceClassification, dtype);
        Tensor[] before = [.. model.parameters().Select(parameter => parameter.detach().clone())];
        model.Adapters.Add(new LoraOptions { TargetModules = "all-linear", Dropout = 0.1, UseDora = usesDora }, seed: 4);
        model.train();
        Tensor ids = AdapterSamples.Ids(), labels = tensor(new long[] { 0, 1, 0 }), last = full([3], 8, ScalarType.Int64);
        using var optimizer = new FusedAdamW([new ParameterGroup([.. model.parameters().Where(parameter => parameter.requires_grad)], 0)], masterWeights: true);
        List<double> losses = [];
        for (int step = 0; step < 12; step++)
        {
            Tensor loss = model.Loss(model.ForwardPooled(ids, last), labels);
            loss.backward();
            losses.Add(loss.item<float>());
            optimizer.Step(0.01);
            optimizer.ZeroGradients();
        }

        Assert.True(losses[^1] < 0.5 * losses[0], string.Join(", ", losses));
        foreach (var (old, (name, value)) in before.Zip(model.BaseParameters())) Assert.True(AdapterSamples.AreEqual(old, value), name);
        model.eval();
        Tensor adapted = AdapterSamples.Scores(model);
        model.Adapters.Merge();
        TensorAssert.Within(adapted, AdapterSamples.Scores(model), dtype == ScalarType.Float32 ? 1e-4 : 0.1, "merged");
        model.Adapters.Unmerge();
        Assert.True(AdapterSamples.AreEqual(adapted, AdapterSamples.Scores(model)));
    }
}
