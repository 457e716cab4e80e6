using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class CausalLanguageModelTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    private sealed class Row
    {
        public string Question { get; set; } = "";
        public string Text { get; set; } = "";
    }

    private CausalLanguageModelOptions Options(Action<CausalLanguageModelOptions>? change = null)
    {
        var options = new CausalLanguageModelOptions { Model = folder.Path, Precision = Precision.Float32, LearningRate = 1e-2, BatchSize = 16, Epochs = 4, MaxLength = 48 };
        change?.Invoke(options);
        return options;
    }

    /// <summary>The answer is the question's letter, three times.</summary>
    private static Row[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            char letter = (char)('a' + random.Next(6));
            string noise = new([.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => (char)('u' + random.Next(5)))]);
            return new Row { Question = $"{noise}{letter}?", Text = new string(letter, 3) };
        })];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Answers_are_learnt_and_the_noise_before_them_is_not(bool packing)
    {
        IDataView training = _ml.Data.LoadFromEnumerable(Rows(160, 1)), test = _ml.Data.LoadFromEnumerable(Rows(40, 2));
        using CausalLanguageModelTransformer transformer = _ml.Transforms.Text.CausalLanguageModel(options: Options(options => (options.PromptColumnName, options.Packing, options.Epochs) = ("Question", packing, 8))).Fit(training);
        LanguageModelMetrics metrics = _ml.Transforms.Text.EvaluateTextLikelihood(transformer.Transform(test));
        Assert.Equal(40 * 4, metrics.Tokens);
        Assert.InRange(metrics.NegativeLogLikelihood, 0, 0.3);
        EstimatorContract.CheckTransformer(_ml, transformer, test);
    }

    [Fact]
    public void Going_on_with_pre_training_lowers_the_loss_on_other_texts_and_validation_measures_it()
    {
        IDataView Texts(int seed) => _ml.Data.LoadFromEnumerable(Rows(60, seed).Select(row => new Row { Text = row.Question + string.Concat(Enumerable.Repeat(row.Text, 20)) })); // longer than a part
        var progress = new ProgressRecorder();
        using CausalLanguageModelTransformer transformer = _ml.Transforms.Text.CausalLanguageModel(options: Options(options => (options.ValidationSet, options.Progress) = (Texts(2), progress))).Fit(Texts(1));
        double[] losses = [.. progress.Validations.Select(validation => validation.Validation![ValidationMetric.LogLoss])];
        Assert.InRange(losses.Min(), 0, losses[0] * 0.7);
        LanguageModelMetrics metrics = _ml.Transforms.Text.EvaluateTextLikelihood(transformer.Transform(Texts(2)));
        Assert.Equal(losses.Min(), metrics.NegativeLogLikelihood, 1e-4);
    }

    [Fact]
    public void Packing_changes_next_to_nothing()
    {
        IDataView training = _ml.Data.LoadFromEnumerable(Rows(48, 1));
        float[] Run(bool packing)
        {
            using CausalLanguageModelTransformer transformer = _ml.Transforms.Text.CausalLanguageModel(options: Options(options => (options.Packing, options.Epochs, options.LearningRate) = (packing, 2, 1e-3))).Fit(training);
            return [.. transformer.Transform(training).GetColumn<float>("LogLikelihood")];
        }

        foreach ((float packed, float padded) in Run(true).Zip(Run(false))) Assert.Equal(padded, packed, 2e-3f * Math.Abs(padded));
    }

    [Fact]
    public void What_cannot_be_learnt_is_refused()
    {
        InvalidOperationException Refused(Row row, Action<CausalLanguageModelOptions>? change = null) => Assert.Throws<InvalidOperationException>(() =>
            _ml.Transforms.Text.CausalLanguageModel(options: Options(change)).Fit(_ml.Data.LoadFromEnumerable([row])));

        Assert.Contains("nothing to learn", Refused(new() { Text = "" }).Message);
        Assert.Contains("PromptColumnName", Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.CausalLanguageModel(options: Options(options => options.Learned = LearnedText.ChatResponse))).Message);
        Assert.Contains("has none", Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.CausalLanguageModel(options: Options(options =>
            (options.Learned, options.PromptColumnName) = (LearnedText.ChatResponse, "Question"))).Fit(_ml.Data.LoadFromEnumerable(Rows(2, 1)))).Message);
        Assert.Contains("'Other'", Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.Text.CausalLanguageModel("Other", Options()).Fit(_ml.Data.LoadFromEnumerable(Rows(2, 1)))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.Text.CausalLanguageModel(options: Options(options => options.MaxLength = 1)));
    }
}
