using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Texts of a batch, however they lie, are to the model what they are alone.</summary>
public class TextBatchTests
{
    private static readonly int[] s_lengths = [5, 1, 8, 5, 8, 2, 5];

    /// <summary>The texts of each group, by their places.</summary>
    private static readonly Dictionary<string, int[][]> s_layouts = new()
    {
        ["padded"] = [[0, 1, 2, 3, 4, 5, 6]],
        ["in groups of one length"] = [[1], [5], [0, 3, 6], [2, 4]],
        ["in groups with padding"] = [[5, 1], [3, 2, 0], [4, 6]],
        ["one by one"] = [[6], [5], [4], [3], [2], [1], [0]],
    };

    public static IEnumerable<TheoryDataRow<string, int>> Models() => FamilySamples.Rows();

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_token_is_what_it_is_in_the_text_alone(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (AttentionImplementation attention in Enum.GetValues<AttentionImplementation>())
        {
            using var model = new SequenceClassificationModel(FamilySamples.Config(family, seed), seed, attention: attention);
            model.eval();
            int[][] texts = Texts(seed);
            int[] positions = [.. texts.Select(text => text.Length - 1)];
            positions[2] = 3; // one that does not see all of its text
            foreach ((string name, int[][] groups) in s_layouts)
            {
                using TextBatch batch = TextBatch.OfIds(texts, new TextLayout(s_lengths, groups), 0, CPU);
                Tensor all = model.Decoder.Forward(batch);
                Tensor? pooled = model.Config.IsCausal ? model.Decoder.ForwardPooled(batch, positions) : null;
                for (int text = 0; text < texts.Length; text++)
                {
                    using DecoderOutput alone = model.Decoder.Forward(new DecoderInput { InputIds = Ids(texts[text]) });
                    Tensor expected = alone.LastHiddenState[0];
                    Within(expected, all.narrow(0, batch.Layout.StartOf(text), texts[text].Length), $"text {text}, {name}, {attention}");
                    if (pooled is not null) Within(expected[positions[text]], pooled[text], $"the token of text {text}, {name}, {attention}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradients_are_those_of_padded_texts(string family, int seed)
    {
        using var scope = NewDisposeScope();
        using var model = new TokenClassificationModel(FamilySamples.Config(family, seed) with { LabelNames = ["a", "b", "c"] }, seed);
        model.train();
        int[][] texts = Texts(seed);
        Dictionary<string, Tensor> expected = Gradients(model, texts, s_layouts["padded"]);
        foreach ((string name, int[][] groups) in s_layouts)
        {
            foreach (bool isCheckpointed in (bool[])[false, true])
            {
                model.GradientCheckpointing = isCheckpointed;
                Dictionary<string, Tensor> found = Gradients(model, texts, groups);
                Assert.Equal(expected.Keys, found.Keys);
                foreach ((string parameter, Tensor gradient) in expected)
                    TensorAssert.Within(gradient, found[parameter], 1e-5 * Math.Max(1, TensorAssert.Largest(gradient)), $"{parameter}, {name}{(isCheckpointed ? ", computed twice" : "")}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Reading_goes_on_from_any_layer(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(FamilySamples.Config(family, seed), seed);
        model.eval();
        int[][] texts = Texts(seed);
        int[] positions = [.. texts.Select(text => text.Length - 1)];
        using TextBatch ids = TextBatch.OfIds(texts, new TextLayout(s_lengths, s_layouts["in groups with padding"]), 0, CPU);
        Tensor expected = model.Decoder.Forward(ids);
        for (int layer = 0; layer <= model.Config.LayerCount; layer++)
        {
            Tensor reached = model.Decoder.ForwardLayers(ids, layer);
            foreach ((string name, int[][] groups) in s_layouts)
            {
                var layout = new TextLayout(s_lengths, groups);
                using TextBatch states = TextBatch.OfStates(layout, layer, model.Config.HiddenSize, ScalarType.Float32, CPU, (text, bytes) =>
                {
                    using Tensor own = reached.narrow(0, ids.Layout.StartOf(text), texts[text].Length);
                    own.bytes.CopyTo(bytes);
                });
                Tensor found = model.Decoder.Forward(states);
                Tensor? pooled = model.Config.IsCausal ? model.Decoder.ForwardPooled(states, positions) : null;
                for (int text = 0; text < texts.Length; text++)
                {
                    Tensor whole = expected.narrow(0, ids.Layout.StartOf(text), texts[text].Length);
                    Within(whole, found.narrow(0, layout.StartOf(text), texts[text].Length), $"text {text} from layer {layer}, {name}");
                    if (pooled is not null) Within(whole[^1], pooled[text], $"the end of text {text} from layer {layer}, {name}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void What_a_language_model_says_of_texts_is_what_it_says_of_each(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(FamilySamples.Config(family, seed), seed);
        model.eval();
        int[][] texts = Texts(seed);
        float[] expected = [.. texts.SelectMany(text => model.LogProbabilities(new DecoderInput { InputIds = Ids(text) }).data<float>().ToArray().Skip(1))];
        foreach ((string name, int[][] groups) in s_layouts)
        {
            using TextBatch batch = TextBatch.OfIds(texts, new TextLayout(s_lengths, groups), 0, CPU);
            long[] places = [.. texts.SelectMany((text, index) => text.Skip(1).Select((_, token) => (long)batch.Layout.StartOf(index) + token))];
            long[] following = [.. texts.SelectMany(text => text.Skip(1).Select(id => (long)id))];
            Within(tensor(expected), model.LogProbabilities(batch, places, following), name);
            Assert.Equal(-expected.Sum() / 100, model.Loss(batch, places, following, labelSmoothing: 0, labelCount: 100).item<float>(), 1e-4f);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Nothing_is_left_behind(ScalarType dtype)
    {
        using var model = new SequenceClassificationModel(ModelSamples.Config(""", "use_sliding_window": true, "sliding_window": 3, "max_window_layers": 1"""), seed: 1, dtype);
        int[][] texts = Texts(1);
        int[] positions = [.. texts.Select(text => text.Length - 1)];
        foreach (bool isCheckpointed in (bool[])[false, true])
        {
            foreach (bool isTrained in (bool[])[false, true])
            {
                model.train(isTrained);
                model.GradientCheckpointing = isCheckpointed;
                LeakTests.AssertSteady(() =>
                {
                    foreach (int[][] groups in s_layouts.Values)
                    {
                        using (NewDisposeScope())
                        {
                            using TextBatch batch = TextBatch.OfIds(texts, new TextLayout(s_lengths, groups), 0, CPU);
                            model.Score(batch, positions).square().sum().to(ScalarType.Float32).backward();
                        }

                        foreach (var parameter in model.parameters())
                        {
                            parameter.grad?.Dispose();
                            parameter.grad = null;
                        }
                    }
                });
            }
        }
    }

    [Fact]
    public void Noise_on_embeddings_is_as_large_as_the_width_of_the_group_says()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        int[][] texts = Texts(1);
        using TextBatch batch = TextBatch.OfIds(texts, new TextLayout(s_lengths, s_layouts["in groups of one length"]), 0, CPU);
        model.train();
        Tensor plain = model.Decoder.ForwardLayers(batch, 0);
        model.EmbeddingNoise = 5;
        Tensor noise = (model.Decoder.ForwardLayers(batch, 0) - plain).abs();
        for (int text = 0; text < texts.Length; text++)
        {
            double most = 5 / Math.Sqrt(texts[text].Length * model.Config.HiddenSize);
            Assert.InRange(TensorAssert.Largest(noise.narrow(0, batch.Layout.StartOf(text), texts[text].Length)), most / 2, most * 1.0001);
        }
    }

    private static int[][] Texts(int seed)
    {
        var random = new Random(seed);
        return [.. s_lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(3, 60)).ToArray())];
    }

    private static Tensor Ids(int[] text) => tensor(Array.ConvertAll(text, id => (long)id)).unsqueeze(0);

    private static Dictionary<string, Tensor> Gradients(TokenClassificationModel model, int[][] texts, int[][] groups)
    {
        using TextBatch batch = TextBatch.OfIds(texts, new TextLayout(s_lengths, groups), 0, CPU);
        long[] places = [.. texts.SelectMany((text, index) => text.Select((_, token) => (long)batch.Layout.StartOf(index) + token))];
        nn.functional.cross_entropy(model.Score(batch).index_select(0, tensor(places)), tensor(texts.SelectMany(text => text.Select(id => (long)id % 3)).ToArray())).backward();
        var gradients = model.named_parameters().Where(pair => pair.parameter.grad is not null).ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
        foreach (var parameter in model.parameters()) parameter.grad = null;
        return gradients;
    }

    private static void Within(Tensor expected, Tensor found, string what) => TensorAssert.Within(expected, found, 1e-5 * Math.Max(1, TensorAssert.Largest(expected)), what);
}
