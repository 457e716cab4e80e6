using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;

namespace MLComponents.Trainers.Tests;

public class TokenClassificationTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    private sealed class Sentence
    {
        public string[] Text { get; set; } = [];
        public string[] Label { get; set; } = [];
    }

    private sealed class Marked
    {
        public string Text { get; set; } = "";
        public string[] Label { get; set; } = [];
        public int[] SpanStart { get; set; } = [];
        public int[] SpanLength { get; set; } = [];
    }

    private sealed class Found
    {
        public string Text { get; set; } = "";
        public string[] Entity { get; set; } = [];
        public string[] EntityLabel { get; set; } = [];
        public int[] EntityStart { get; set; } = [];
        public int[] EntityLength { get; set; } = [];
    }

    private TokenClassificationOptions Options(Action<TokenClassificationOptions>? change = null)
    {
        var options = new TokenClassificationOptions { Model = folder.Path, Precision = Precision.Float32, LearningRate = 1e-2, BatchSize = 8, Epochs = 6, MaxLength = 24 };
        change?.Invoke(options);
        return options;
    }

    /// <summary>A word that ends in "z" begins an entity, one that ends in "9" goes on with it.</summary>
    private static Sentence[] Sentences(int count)
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var sentence = new List<(string Word, string Tag)>();
            for (int word = random.Next(1, 9); word > 0; word--)
            {
                string stem = new([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => (char)('a' + random.Next(5)))]);
                sentence.Add(random.Next(3) == 0 ? (stem + "z", "B-N") : (stem, "O"));
                if (sentence[^1].Tag == "B-N" && random.Next(2) == 0) sentence.Add((stem + "9", "I-N"));
            }

            return new Sentence { Text = [.. sentence.Select(word => word.Word)], Label = [.. sentence.Select(word => word.Tag)] };
        })];
    }

    private static Marked[] Texts(int count) => [.. Sentences(count).Select(sentence =>
    {
        string text = "";
        List<int> starts = [], lengths = [];
        for (int word = 0; word < sentence.Text.Length; word++)
        {
            if (word > 0) text += ' ';
            if (sentence.Label[word] == "B-N") starts.Add(text.Length);
            text += sentence.Text[word];
            if (sentence.Label[word] == "B-N") lengths.Add(sentence.Text[word].Length);
            else if (sentence.Label[word] == "I-N") lengths[^1] = text.Length - starts[^1];
        }

        return new Marked { Text = text, Label = [.. starts.Select(_ => "N")], SpanStart = [.. starts], SpanLength = [.. lengths] };
    })];

    [Theory]
    [InlineData(24)]
    [InlineData(10)] // most sentences are read in several windows
    public void Tags_of_tokens_are_learnt_whatever_the_windows(int maxLength)
    {
        IDataView training = _ml.Data.LoadFromEnumerable(Sentences(120)), test = _ml.Data.LoadFromEnumerable(Sentences(160).Skip(120));
        using TokenClassificationTransformer transformer = _ml.MulticlassClassification.Trainers.TokenClassification(options: Options(options => options.MaxLength = maxLength)).Fit(training);
        Assert.Equal(["O", "B-N", "I-N"], transformer.LabelNames);
        TokenClassificationMetrics metrics = _ml.MulticlassClassification.EvaluateTokenClassification(transformer.Transform(test));
        Assert.InRange(metrics.F1, 0.8, 1);
        EstimatorContract.CheckTransformer(_ml, transformer, test);
    }

    [Fact]
    public void Entities_of_whole_texts_are_learnt_and_found_where_they_stand()
    {
        Marked[] rows = Texts(160);
        using TokenClassificationTransformer transformer = _ml.MulticlassClassification.Trainers.TokenClassification(options: Options()).Fit(_ml.Data.LoadFromEnumerable(rows.Take(120)));
        Assert.Equal(["O", "B-N", "I-N"], transformer.LabelNames);
        int right = 0, there = 0;
        foreach ((Found found, Marked row) in _ml.Data.CreateEnumerable<Found>(transformer.Transform(_ml.Data.LoadFromEnumerable(rows.Skip(120))), reuseRowObject: false).Zip(rows.Skip(120)))
        {
            for (int entity = 0; entity < found.Entity.Length; entity++)
                Assert.Equal(found.Entity[entity], row.Text.Substring(found.EntityStart[entity], found.EntityLength[entity]));
            there += row.SpanStart.Length;
            right += row.SpanStart.Zip(row.SpanLength).Intersect(found.EntityStart.Zip(found.EntityLength)).Count();
        }

        Assert.InRange((double)right / there, 0.8, 1);
        EntityMetrics metrics = _ml.MulticlassClassification.EvaluateEntities(transformer.Transform(_ml.Data.LoadFromEnumerable(rows.Skip(120))));
        Assert.Equal(((double)right / there, (long)there), (metrics.Recall, metrics.Entities));
    }

    [Fact]
    public void Keys_keep_their_order_and_missing_ones_are_not_learnt_from()
    {
        IDataView keys = _ml.Data.LoadFromEnumerable(new[] { "I-N", "O", "B-N", "B-M" }.Select(tag => new { Tag = tag }));
        Sentence[] sentences = Sentences(20);
        sentences[0].Label[0] = "unknown";
        IDataView data = _ml.Data.LoadFromEnumerable(sentences);
        IDataView keyed = _ml.Transforms.Conversion.MapValueToKey("Label", keyData: keys).Fit(data).Transform(data);
        using TokenClassificationTransformer transformer = _ml.MulticlassClassification.Trainers.TokenClassification(options: Options(options => options.Epochs = 1)).Fit(keyed);
        Assert.Equal(["I-N", "O", "B-N", "B-M"], transformer.LabelNames);
    }

    [Fact]
    public void Validation_measures_what_evaluation_measures()
    {
        IDataView training = _ml.Data.LoadFromEnumerable(Sentences(40)), test = _ml.Data.LoadFromEnumerable(Sentences(70).Skip(40));
        var progress = new ProgressRecorder();
        using TokenClassificationTransformer transformer = _ml.MulticlassClassification.Trainers.TokenClassification(options: Options(options =>
            (options.Epochs, options.MaxLength, options.ValidationSet, options.Progress, options.ValidationMetric) = (4, 12, test, progress, ValidationMetric.F1))).Fit(training);
        TokenClassificationMetrics metrics = _ml.MulticlassClassification.EvaluateTokenClassification(transformer.Transform(test));
        TrainingProgress best = progress.Validations.Last(validation => validation.Validation!.IsBest);
        Assert.Equal(best.Validation![ValidationMetric.F1], metrics.F1, 1e-9);
        Assert.Equal(best.Validation[ValidationMetric.TokenAccuracy], metrics.TokenAccuracy, 1e-9);
    }

    [Fact]
    public void Bad_rows_are_refused_by_their_number()
    {
        InvalidOperationException Refused<T>(params T[] rows)
            where T : class =>
            Assert.Throws<InvalidOperationException>(() => _ml.MulticlassClassification.Trainers.TokenClassification(options: Options()).Fit(_ml.Data.LoadFromEnumerable(rows)));

        Sentence good = new() { Text = ["a", "bz"], Label = ["O", "B-N"] };
        Assert.Contains("Row 1 has 2 tokens", Refused(good, new Sentence { Text = ["a", "b"], Label = ["O"] }).Message);
        Assert.Contains("no tag but 'O'", Refused(new Sentence { Text = ["a"], Label = ["O"] }).Message);
        Assert.Contains("no tag", Refused(new Sentence()).Message);
        Assert.Contains("the text has 3", Refused(new Marked { Text = "abc", Label = ["N"], SpanStart = [2], SpanLength = [2] }).Message);
        Assert.Contains("two entities at the word 'abc'", Refused(new Marked { Text = "abc", Label = ["N", "N"], SpanStart = [0, 2], SpanLength = [1, 1] }).Message);
        Assert.Contains("white space", Refused(new Marked { Text = "a  b", Label = ["N"], SpanStart = [1], SpanLength = [2] }).Message);
        Assert.Contains("2 entities in column 'Label'", Refused(new Marked { Text = "a b", Label = ["N", "N"], SpanStart = [1], SpanLength = [2] }).Message);
        Assert.Contains("'SpanStart'", Assert.Throws<ArgumentOutOfRangeException>(() =>
            _ml.MulticlassClassification.Trainers.TokenClassification(options: Options()).Fit(_ml.Data.LoadFromEnumerable([new { Text = "a", Label = new[] { "N" } }]))).Message);
        Assert.Contains("'M-X'", Assert.Throws<InvalidOperationException>(() => _ml.MulticlassClassification.Trainers.TokenClassification(options: Options(options =>
            options.ValidationSet = _ml.Data.LoadFromEnumerable([new Sentence { Text = ["a"], Label = ["M-X"] }]))).Fit(_ml.Data.LoadFromEnumerable([good]))).Message);
    }

    [Fact]
    public void Promise_and_delivery_agree_and_no_tensor_stays()
    {
        IDataView valid = _ml.Data.LoadFromEnumerable(Sentences(10)), nothing = _ml.Data.LoadFromEnumerable([new { Other = 1f }]);
        TokenClassificationEstimator estimator = _ml.MulticlassClassification.Trainers.TokenClassification(options: Options(options => options.Epochs = 1));
        estimator.Fit(valid).Dispose();
        long before = torch.Tensor.TotalCount;
        using (TokenClassificationTransformer transformer = estimator.Fit(valid))
            EstimatorContract.CheckShapes(estimator.GetOutputSchema(MLNetInterop.ShapeOf(valid.Schema)), MLNetInterop.ShapeOf(transformer.GetOutputSchema(valid.Schema)));
        long parameters = 0;
        using (var model = new TokenClassificationModel(TinyModel.Config(3))) parameters = model.parameters().Count();
        Assert.InRange(torch.Tensor.TotalCount - before, 0, 4 * parameters); // a parameter that is made counts for ever
        Assert.Throws<ArgumentOutOfRangeException>(() => estimator.GetOutputSchema(MLNetInterop.ShapeOf(nothing.Schema)));
        Assert.Throws<ArgumentOutOfRangeException>(() => estimator.Fit(nothing));
    }
}
