using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class ForwardContractTests
{
    [Fact]
    public void Logits_are_kept_at_any_positions_in_any_order()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1);
        var input = new DecoderInput { InputIds = randint(3, 60, [2, 7]) };
        Tensor all = model.Forward(input).Logits;

        TensorAssert.Within(all, model.Forward(input, 0).Logits, 0, "0: all");
        TensorAssert.Within(all, model.Forward(input, 9).Logits, 0, "more than there are");
        TensorAssert.Within(all.narrow(1, 5, 2), model.Forward(input, 2).Logits, 1e-5, "the last two");
        Tensor expected = cat([all.narrow(1, 4, 1), all.narrow(1, 0, 1), all.narrow(1, 4, 1), all.narrow(1, 6, 1)], 1);
        TensorAssert.Within(expected, model.Forward(input, tensor(new long[] { 4, 0, 4, -1 })).Logits, 1e-5, "Int64");
        TensorAssert.Within(expected, model.Forward(input, tensor(new int[] { 4, -7, 4, 6 })).Logits, 1e-5, "Int32");
        Assert.Equal([2, 0, 60], model.Forward(input, zeros(0, dtype: ScalarType.Int64)).Logits.shape);
        var embedded = new DecoderInput { InputsEmbeds = randn(2, 7, 48) };
        TensorAssert.Within(model.Forward(embedded).Logits.narrow(1, 3, 1), model.Forward(embedded, tensor(new long[] { 3 })).Logits, 1e-5, "embeddings");

        using var cache = new DynamicCache();
        foreach (Tensor wrong in new[] { tensor(new long[] { 0, 7 }), tensor(new long[] { -8 }), zeros(1), zeros(1, 1, dtype: ScalarType.Int64) })
            Assert.ThrowsAny<ArgumentException>(() => model.Forward(input with { Cache = cache }, wrong));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Forward(input, -1));
        Assert.Equal(0, cache.Length);
    }

    [Fact]
    public void Ids_and_positions_may_be_int32()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2, some layers slide");
        using var model = new CausalLanguageModel(config, seed: 1);
        using var sequences = new SequenceClassificationModel(config, seed: 1);
        using var tokens = new TokenClassificationModel(config, seed: 1);
        using var answers = new QuestionAnsweringModel(config, seed: 1);
        Tensor ids = randint(3, 60, [2, 7]);
        ids[0, 6] = 0;
        Tensor mask = (ids != 0).to(ScalarType.Int64);
        Tensor positions = arange(3, 10).unsqueeze(0).expand(2, 7);
        Tensor narrowIds = ids.to(ScalarType.Int32), narrowMask = mask.to(ScalarType.Int32), narrowPositions = positions.to(ScalarType.Int32);

        TensorAssert.Within(model.forward(ids, mask, positions), model.forward(narrowIds, narrowMask, narrowPositions), 0, "language model");
        TensorAssert.Within(sequences.forward(ids, mask, positions), sequences.forward(narrowIds, narrowMask, narrowPositions), 0, "sequences");
        TensorAssert.Within(sequences.ForwardPooled(ids, tensor(new long[] { 5, 6 })), sequences.ForwardPooled(narrowIds, tensor(new long[] { 5, 6 })), 0, "pooled");
        TensorAssert.Within(tokens.forward(ids, mask, positions), tokens.forward(narrowIds, narrowMask, narrowPositions), 0, "tokens");
        TensorAssert.Within(answers.forward(ids, mask, positions).End, answers.forward(narrowIds, narrowMask, narrowPositions).End, 0, "answers");
        TensorAssert.Within(
            model.forward(ids, null, cat([arange(4), arange(3)]).unsqueeze(0)), model.forward(narrowIds, null, cat([arange(4), arange(3)]).unsqueeze(0).to(ScalarType.Int32)), 0, "packed");
    }

    [Theory]
    [InlineData(60)]
    [InlineData(-1)]
    public void An_id_outside_of_the_vocabulary_is_named_with_its_place(long id)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = CacheModels.Config("qwen2");
        using var model = new CausalLanguageModel(config, seed: 1);
        using var sequences = new SequenceClassificationModel(config, seed: 1, ScalarType.BFloat16);
        Tensor ids = randint(3, 60, [2, 7]);
        ids[1, 4] = id;

        Check(() => model.forward(ids));
        Check(() => model.forward(ids.to(ScalarType.Int32)));
        Check(() => sequences.ForwardPooled(ids, tensor(new long[] { 5, 6 })));

        void Check(Action forward)
        {
            var exception = Assert.Throws<ArgumentOutOfRangeException>(forward);
            Assert.Equal(id, exception.ActualValue);
            Assert.Contains("row 1, column 4", exception.Message);
            Assert.Contains("from 0 to 59", exception.Message);
        }
    }

    [Fact]
    public void Ids_of_other_types_are_refused()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1);

        foreach (ScalarType type in new[] { ScalarType.Float32, ScalarType.Int16, ScalarType.Byte, ScalarType.Bool })
            Assert.Contains($"{type}", Assert.Throws<ArgumentException>(() => model.forward(ones(1, 3, dtype: type))).Message);
    }
}
