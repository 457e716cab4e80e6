using System.Text;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Small models of every family and head, with random weights, and what they give.</summary>
internal static class AdapterSamples
{
    public static IEnumerable<string> Families => DecoderFamily.All.Select(family => family.ModelType);

    public static TheoryData<string, ModelHead> FamiliesAndHeads()
    {
        var data = new TheoryData<string, ModelHead>();
        foreach (string family in Families)
            foreach (ModelHead head in Enum.GetValues<ModelHead>()) data.Add(family, head);
        return data;
    }

    public static DecoderConfig Config(string family, string more = "") => DecoderConfig.Parse(Encoding.UTF8.GetBytes(
        $$"""
        {
          "model_type": "{{family}}", "vocab_size": 60, "hidden_size": 48, "intermediate_size": 56, "num_hidden_layers": 3, "num_attention_heads": 6,
          "max_position_embeddings": 64, "initializer_range": 0.2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2{{more}}
        }
        """));

    public static PretrainedModel Create(
        string family, ModelHead head, ScalarType dtype = ScalarType.Float32, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct, string more = "")
    {
        DecoderConfig config = Config(family, more);
        PretrainedModel model = head switch
        {
            ModelHead.CausalLanguageModel => new CausalLanguageModel(config, seed: 1, dtype, attention: attention),
            ModelHead.SequenceClassification => new SequenceClassificationModel(config, seed: 1, dtype, attention: attention),
            ModelHead.TokenClassification => new TokenClassificationModel(config, seed: 1, dtype, attention: attention),
            _ => new QuestionAnsweringModel(config, seed: 1, dtype, attention: attention),
        };
        model.eval();
        return model;
    }

    public static CausalLanguageModel Causal(string family = "qwen2", ScalarType dtype = ScalarType.Float32, string more = "") =>
        (CausalLanguageModel)Create(family, ModelHead.CausalLanguageModel, dtype, more: more);

    /// <summary>Token ids <c>[3, 9]</c> without padding.</summary>
    public static Tensor Ids() => (arange(27, ScalarType.Int64).reshape(3, 9) * 7 % 57) + 3;

    /// <summary>All scores in one tensor.</summary>
    public static Tensor Scores(PretrainedModel model, Tensor? ids = null, Tensor? mask = null)
    {
        using var noGradient = no_grad();
        return cat([.. LoraFixture.ScoresOf(model, ids ?? Ids(), mask).Values.Select(scores => scores.reshape(-1))]);
    }

    /// <summary>Options of an adapter that changes the model from the start.</summary>
    public static LoraOptions Loud(ModuleNames? targets = null) =>
        new() { Rank = 3, Alpha = 6, TargetModules = targets ?? ModuleNames.AllLinear, Initialization = LoraInitialization.Random };

    /// <summary>A module of a model by its path.</summary>
    public static WeightedModule Part(PretrainedModel model, string path) => (WeightedModule)model.named_modules().Single(pair => pair.name == path).module;

    /// <summary>The names of the parameters that are trained.</summary>
    public static string[] Trained(PretrainedModel model) => [.. model.named_parameters().Where(pair => pair.parameter.requires_grad).Select(pair => pair.name).Order(StringComparer.Ordinal)];

    public static bool AreEqual(Tensor one, Tensor other) => one.shape.SequenceEqual(other.shape) && one.equal(other).all().item<bool>();
}
