using MLComponents.Testing;
using MLComponents.Tokenization;
using static MLComponents.Models.Tests.BatchReading;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Weights in eight bits.</summary>
public class EightBitsTests
{
    [Theory]
    [MemberData(nameof(BatchReading.ModelsAndWidths), MemberType = typeof(BatchReading))]
    public void In_eight_bits_the_logits_are_those_of_a_model_with_the_rounded_weights(string name, string width)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using var rounded = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using IDecodingBatch batch = new FusedDecodingModel(model) { Width = Enum.Parse<VectorWidth>(width), InEightBits = true, LongPrompt = int.MaxValue }.NewBatch(1, canForget: false);
        float[] found = Read(batch, [Texts[0]]);
        rounded.UntieWordEmbeddings();
        Round(rounded);

        AssertClose(Alone(rounded, Texts[0]), found);
        Assert.True(Alone(model, Texts[0]).Zip(found, (a, b) => Math.Abs(a - b)).Max() > 1e-3);
    }

    [Fact]
    public void Eight_bits_are_asked_for_at_the_model_and_refused_where_they_cannot_be_had()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("llama"), seed: 1);
        Assert.False(model.GeneratesInEightBits);
        float[] exact = Logits();
        model.GeneratesInEightBits = true;
        Assert.True(model.GeneratesInEightBits);
        Assert.NotEqual(exact, Logits());

        model.Adapters.Add(new LoraOptions { TargetModules = ["q_proj"] });
        Assert.Contains("adapters", Assert.Throws<InvalidOperationException>(Logits).Message, StringComparison.Ordinal);
        model.GeneratesInEightBits = false;
        AssertClose(exact, Logits());

        float[] Logits()
        {
            using IDecodingBatch batch = model.Decoding.NewBatch(1, canForget: false);
            return Read(batch, [Texts[0]]);
        }
    }

    [Fact]
    public void Eight_bits_cost_less_than_half_a_percent_of_the_likelihood_of_a_text()
    {
        using CausalLanguageModel model = CausalLanguageModel.Load(SmolLm2.Folder("qwen2"));
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(SmolLm2.Folder("qwen2"));
        int[] text = [.. tokenizer.Encode(
            "The history of the lighthouse goes back to the time when fires were lit on hills to guide ships at night. Later they were put on platforms, and in the "
            + "third century before Christ the tower of Alexandria was built, which stood for more than a thousand years.").Ids];
        double exact = Likelihood(inEightBits: false), rounded = Likelihood(inEightBits: true);

        Assert.InRange(exact, 1, 4);
        Assert.Equal(exact, rounded, 0.005 * exact);

        double Likelihood(bool inEightBits)
        {
            using IDecodingBatch batch = new FusedDecodingModel(model) { InEightBits = inEightBits, LongPrompt = int.MaxValue }.NewBatch(1, canForget: false);
            int vocabulary = model.Config.VocabularySize;
            var logits = new float[text.Length * vocabulary];
            batch.Read(text, [text.Length], text.Length, logits);
            double sum = 0;
            for (int place = 0; place < text.Length - 1; place++)
            {
                ReadOnlySpan<float> row = logits.AsSpan(place * vocabulary, vocabulary);
                double total = 0;
                foreach (float logit in row) total += Math.Exp(logit - row[0]);
                sum += Math.Log(total) + row[0] - row[text[place + 1]];
            }

            return sum / (text.Length - 1);
        }
    }

    /// <summary>Gives matrices the values that they have in eight bits.</summary>
    private static unsafe void Round(CausalLanguageModel model)
    {
        using var noGradient = no_grad();
        foreach (Linear layer in model.modules().OfType<Linear>().Where(layer => layer.OwnsWeight))
        {
            (int outputs, int width) = ((int)layer.Weight.shape[0], (int)layer.Weight.shape[1]);
            float[] values = layer.Weight.data<float>().ToArray();
            fixed (byte* row = new byte[Int8Numbers.BytesOf(width)])
            {
                for (int output = 0; output < outputs; output++)
                {
                    Int8Numbers.Store(values.AsSpan(output * width, width), row);
                    for (int k = 0; k < width; k++) values[(output * width) + k] = Int8Numbers.At(row, k);
                }
            }

            using Tensor rounded = tensor(values, [outputs, width]);
            layer.Weight.copy_(rounded);
        }
    }
}
