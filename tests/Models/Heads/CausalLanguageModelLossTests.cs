using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>The loss that never holds the logits, against the loss of the logits.</summary>
public class CausalLanguageModelLossTests
{
    private const double Smoothing = 0.1;

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, Smoothing)]
    public void It_equals_the_loss_of_the_logits_with_all_gradients(bool tied, double smoothing)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(tied);
        (Tensor ids, Tensor labels) = Batch(model);

        CausalLanguageModel.Loss(model.forward(ids), labels, smoothing).backward();
        Dictionary<string, Tensor> expected = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
        double expectedLoss = CausalLanguageModel.Loss(model.forward(ids), labels, smoothing).ToDouble();
        model.zero_grad();
        Tensor loss = model.Loss(new DecoderInput { InputIds = ids }, labels, smoothing);
        loss.backward();

        Assert.Equal(expectedLoss, loss.ToDouble(), 1e-5);
        foreach ((string name, Parameter parameter) in model.named_parameters()) TensorAssert.CloseGradient(expected[name], parameter.grad!, name);
    }

    [Fact]
    public void Parts_of_a_batch_add_up_to_the_batch()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(tied: true);
        (Tensor ids, Tensor labels) = Batch(model);
        long count = labels.narrow(1, 1, labels.shape[1] - 1).ne(CausalLanguageModel.IgnoredLabel).sum().item<long>();

        double whole = model.Loss(new DecoderInput { InputIds = ids }, labels).ToDouble();
        double parts = Enumerable.Range(0, (int)ids.shape[0]).Sum(row =>
            model.Loss(new DecoderInput { InputIds = ids.narrow(0, row, 1) }, labels.narrow(0, row, 1), labelCount: count).ToDouble());

        Assert.Equal(whole, parts, 1e-5);
    }

    [Fact]
    public void Padding_is_masked_as_for_logits()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(tied: false);
        (Tensor ids, Tensor labels) = Batch(model);
        Tensor mask = ones_like(ids);
        mask[0].narrow(0, 0, 2).zero_();

        double loss = model.Loss(new DecoderInput { InputIds = ids, AttentionMask = mask }, labels).ToDouble();

        Assert.Equal(CausalLanguageModel.Loss(model.forward(ids, mask), labels).ToDouble(), loss, 1e-5);
    }

    [Fact]
    public void Ignored_labels_alone_give_no_number_or_nothing()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(tied: true);
        Tensor ids = randint(3, 20, [1, 4]), labels = full_like(ids, CausalLanguageModel.IgnoredLabel);

        Assert.True(double.IsNaN(model.Loss(new DecoderInput { InputIds = ids }, labels).ToDouble()));
        Assert.Equal(0, model.Loss(new DecoderInput { InputIds = ids }, labels, labelCount: 7).ToDouble());
    }

    [Fact]
    public void A_head_with_an_adapter_is_computed_with_it()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(tied: false);
        (Tensor ids, Tensor labels) = Batch(model);
        model.Adapters.Add(new LoraOptions { Rank = 2, TargetModules = ["lm_head"] });
        using (no_grad()) foreach ((string name, Parameter parameter) in model.named_parameters()) if (name.Contains("lora_B")) parameter.normal_(0, 1);

        double loss = model.Loss(new DecoderInput { InputIds = ids }, labels, Smoothing).ToDouble();

        Assert.Equal(CausalLanguageModel.Loss(model.forward(ids), labels, Smoothing).ToDouble(), loss, 1e-5);
    }

    [Fact]
    public void Labels_that_cannot_be_are_refused_by_place()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(tied: true);
        var input = new DecoderInput { InputIds = randint(3, 20, [2, 4]) };
        Tensor labels = randint(3, 20, [2, 4]);
        labels[1, 2] = 100_000;

        Assert.Contains("row 1, column 2 is 100000", Assert.Throws<ArgumentException>(() => model.Loss(input, labels)).Message);
        Assert.Contains("[2, 3]", Assert.Throws<ArgumentException>(() => model.Loss(input, labels.narrow(1, 0, 3))).Message);
        Assert.Contains("Int32", Assert.Throws<ArgumentException>(() => model.Loss(input, labels.to(ScalarType.Int32))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Loss(input, labels, labelSmoothing: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Loss(input, labels, labelCount: 0));
    }

    private static CausalLanguageModel Model(bool tied) => new(ModelSamples.Config(tied ? """, "tie_word_embeddings": true""" : """, "tie_word_embeddings": false"""), seed: 1);

    private static (Tensor Ids, Tensor Labels) Batch(CausalLanguageModel model)
    {
        manual_seed(2);
        Tensor ids = randint(3, model.Config.VocabularySize, [3, 7]), labels = ids.clone();
        labels[0].narrow(0, 0, 3).fill_(CausalLanguageModel.IgnoredLabel);
        labels[2, 6] = CausalLanguageModel.IgnoredLabel;
        return (ids, labels);
    }
}
