using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Tests.Transforms;

public class TextLikelihoodTests
{
    private readonly MLContext _ml = new(seed: 1);

    private sealed class Row
    {
        public string Prompt { get; set; } = "";
        public string Text { get; set; } = "";
    }

    private sealed class Measured
    {
        public float LogLikelihood { get; set; }
        public int TokenCount { get; set; }
        public float Perplexity { get; set; }
    }

    private static Row[] Rows { get; } = [.. Enumerable.Range(0, 20).Select(row => new Row { Prompt = new string('p', row % 4), Text = string.Concat(Enumerable.Range(0, row * 3 % 50).Select(i => (char)('a' + ((i * row) % 26)))) })];

    private CausalLanguageModelTransformer Transformer(TextLikelihoodSettings settings) =>
        new(_ml, new LanguageModelScorer(new CausalLanguageModel(TinyModel.Config(2), seed: 5), TinyModel.Tokenizer(), settings), settings);

    private Measured[] Measure(TextLikelihoodSettings settings)
    {
        using CausalLanguageModelTransformer transformer = Transformer(settings);
        return [.. _ml.Data.CreateEnumerable<Measured>(transformer.Transform(_ml.Data.LoadFromEnumerable(Rows)), reuseRowObject: false)];
    }

    [Fact]
    public void Likelihoods_are_those_of_the_logits()
    {
        using var model = new CausalLanguageModel(TinyModel.Config(2), seed: 5);
        Measured[] measured = Measure(new() { BatchSize = 4, EndOfText = false });
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        for (int row = 0; row < Rows.Length; row++)
        {
            string text = Rows[row].Text;
            Assert.Equal(Math.Max(0, text.Length - 1), measured[row].TokenCount);
            if (text.Length < 2)
            {
                Assert.Equal(0, measured[row].LogLikelihood);
                Assert.True(float.IsNaN(measured[row].Perplexity));
                continue;
            }

            Tensor ids = tensor(text.Select(c => (long)c).ToArray()).unsqueeze(0);
            Tensor said = model.forward(ids).log_softmax(-1)[0];
            double expected = Enumerable.Range(1, text.Length - 1).Sum(token => said[token - 1, text[token]].item<float>());
            Assert.Equal(expected, measured[row].LogLikelihood, 1e-3 * Math.Abs(expected));
            Assert.Equal(Math.Exp(-expected / (text.Length - 1)), measured[row].Perplexity, 1e-2 * measured[row].Perplexity);
        }
    }

    [Fact]
    public void An_answer_is_measured_behind_its_prompt()
    {
        Measured[] measured = Measure(new() { PromptColumnName = "Prompt" });
        for (int row = 0; row < Rows.Length; row++)
            Assert.Equal(Rows[row].Text.Length + (Rows[row].Prompt.Length > 0 ? 1 : 0), measured[row].TokenCount);
    }

    [Fact]
    public void The_mean_is_that_of_all_tokens()
    {
        Measured[] measured = Measure(new());
        LanguageModelMetrics metrics = _ml.Transforms.Text.EvaluateTextLikelihood(_ml.Data.LoadFromEnumerable(measured));
        Assert.Equal(measured.Sum(row => row.TokenCount), metrics.Tokens);
        Assert.Equal(-measured.Sum(row => (double)row.LogLikelihood) / metrics.Tokens, metrics.NegativeLogLikelihood, 1e-9);
        Assert.Equal(Math.Exp(metrics.NegativeLogLikelihood), metrics.Perplexity, 1e-9);
        Assert.Throws<InvalidOperationException>(() => _ml.Transforms.Text.EvaluateTextLikelihood(_ml.Data.LoadFromEnumerable([new Measured()])));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.Text.EvaluateTextLikelihood(_ml.Data.LoadFromEnumerable(Rows)));
    }

    [Fact]
    public void A_transformer_keeps_the_contract_of_estimators()
    {
        using CausalLanguageModelTransformer transformer = Transformer(new() { PromptColumnName = "Prompt", MaxLength = 20, BatchSize = 4 });
        EstimatorContract.CheckTransformer(_ml, transformer, _ml.Data.LoadFromEnumerable(Rows.Skip(1)), _ml.Data.LoadFromEnumerable([new { Text = "a" }]), _ml.Data.LoadFromEnumerable([new { Text = 1f, Prompt = "" }]));
    }
}
