using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class VocabularyTests
{
    public static TheoryData<string> Families() => [.. DecoderFamily.All.Select(family => family.ModelType)];

    [Theory]
    [MemberData(nameof(Families))]
    public void New_ids_get_the_mean_of_the_old_ones_and_the_old_ones_stay(string family)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(FamilySamples.Config(family, 1) with { TieWordEmbeddings = false }, seed: 1);
        Tensor ids = randint(3, FamilySamples.Vocabulary, [2, 5]);
        Tensor before = model.forward(ids);
        Tensor mean = Embedding(model).mean([0]);
        long parameters = model.ParameterCount;

        Assert.Equal(64, model.ResizeTokenEmbeddings(62, multipleOf: 8));

        Assert.Equal(64, model.Config.VocabularySize);
        Assert.Equal(parameters + (3 * 2 * model.Config.HiddenSize) + (model.Config.LanguageModelHeadBias ? 3 : 0), model.ParameterCount);
        TensorAssert.Within(mean, Embedding(model)[63], 1e-6, "a new row");
        Tensor after = model.forward(ids);
        Assert.Equal([2L, 5L, 64L], after.shape);
        TensorAssert.Within(before, after.narrow(2, 0, FamilySamples.Vocabulary), 1e-5, "logits of old ids");
        TensorAssert.Within(before.mean([2]), after.select(2, 62), 1e-4, "the logit of a new id");

        model.Save(folder.Path);
        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);
        Assert.True(after.equal(loaded.forward(ids)).all().item<bool>());
    }

    [Fact]
    public void A_smaller_vocabulary_keeps_the_first_ids_and_never_loses_a_special_token()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(""", "tie_word_embeddings": true"""), seed: 1);
        Tensor ids = randint(3, 40, [2, 5]);
        Tensor before = model.forward(ids);

        Assert.Equal(40, model.ResizeTokenEmbeddings(40));

        TensorAssert.Within(before.narrow(2, 0, 40), model.forward(ids), 1e-5, "logits");
        Assert.Contains("special token 2", Assert.Throws<ArgumentException>(() => model.ResizeTokenEmbeddings(2)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.ResizeTokenEmbeddings(0));
        Assert.Equal(40, model.Config.VocabularySize);
    }

    [Fact]
    public void A_resized_model_trains()
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        model.ResizeTokenEmbeddings(70);
        Tensor ids = tensor(new long[,] { { 5, 69, 7 } });

        model.Loss(model.forward(ids), tensor(new long[] { 1 })).backward();

        Tensor gradient = Embedding(model).grad!;
        Assert.Equal([70L, 24L], gradient.shape);
        Assert.True(TensorAssert.Largest(gradient[69]) > 0);
        Assert.Equal(0, TensorAssert.Largest(gradient[68]));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Tying_and_untying_change_which_matrix_projects_and_what_is_saved(string family)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(FamilySamples.Config(family, 2) with { TieWordEmbeddings = false }, seed: 1);
        string head = $"{model.Names.LanguageModelHead}.weight";
        long parameters = model.ParameterCount, matrix = Embedding(model).NumberOfElements;
        Tensor ids = randint(3, FamilySamples.Vocabulary, [2, 5]);

        model.TieWordEmbeddings();

        Assert.Equal(parameters - matrix, model.ParameterCount);
        Assert.Null(model.get_parameter(head));
        using (no_grad())
        {
            using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = ids });
            Tensor projected = output.Decoder.LastHiddenState.matmul(Embedding(model).t());
            if (model.get_parameter($"{model.Names.LanguageModelHead}.bias") is { } bias) projected = projected + bias;
            TensorAssert.Within(projected, output.Logits, 1e-4, "tied logits");
            model.Save(folder.Path);
            using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);
            Assert.True(loaded.Report!.IsExact, loaded.Report.ToString());
            Assert.True(loaded.Config.TieWordEmbeddings);
            Assert.True(output.Logits.equal(loaded.forward(ids)).all().item<bool>());
        }

        Tensor tied = model.forward(ids);
        model.UntieWordEmbeddings();

        Assert.Equal(parameters, model.ParameterCount);
        Assert.True(tied.equal(model.forward(ids)).all().item<bool>());
        CausalLanguageModel.Loss(model.forward(ids), ids).backward();
        Assert.NotNull(model.get_parameter(head)!.grad);
    }

    private static TorchSharp.Modules.Parameter Embedding(PretrainedModel model) => model.get_parameter($"{model.Names.Base}.{model.Names.TokenEmbedding}.weight")!;
}
