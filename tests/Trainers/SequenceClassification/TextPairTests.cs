using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

/// <summary>Training on pairs of texts in two columns.</summary>
public sealed class TextPairTests : IDisposable
{
    /// <summary>What the wrapped tokenizer puts around and between the texts of a pair, and reads as that token within a text.</summary>
    private const string Separator = "<|endoftext|>";

    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("mlcomponents-pairs-").FullName;

    public TextPairTests()
    {
        using SequenceClassificationModel model = TinyModel.Model(3);
        model.Save(_folder);
        TinyModel.Tokenizer(wrapped: true).Save(_folder);
    }

    [Fact]
    public void Rows_have_the_ids_of_the_tokenizers_pair_encoding()
    {
        using var scorer = new TextClassifier(TinyModel.Model(2), TinyModel.Tokenizer(wrapped: true), null, TruncationSide.End);
        int[][] expected = [.. Rows().Select(row => (int[])[256, .. Ids(row.Premise), 256, .. Ids(row.Hypothesis), 256])];
        Assert.Equal(expected, SequenceClassificationTask.Encode(new LabeledTexts(Data, "Premise", "Hypothesis", "Entails", binary: true), scorer).Select(row => row.Row.Ids));
        Assert.Equal(expected, new TargetedTexts(Data, "Premise", "Hypothesis", "Similarity", isRegression: true).Encode(scorer).Select(row => row.Row.Ids));
        Assert.Equal(expected, SequenceClassificationTask.Encode(new LabeledTexts(Data, "Joined", null, "Entails", binary: true), scorer).Select(row => row.Row.Ids));
        Assert.Equal(expected, new TargetedTexts(Data, "Joined", null, "Similarity", isRegression: true).Encode(scorer).Select(row => row.Row.Ids));
        static IEnumerable<int> Ids(string text) => text.Select(character => (int)character);
    }

    [Theory]
    [InlineData("multi-class")]
    [InlineData("binary")]
    [InlineData("multi-label")]
    [InlineData("regression")]
    public void Training_on_two_columns_gives_the_bits_of_training_on_ids_joined_by_hand(string kind)
    {
        ITransformer pairs = Train(kind, "Premise", "Hypothesis"), joined = Train(kind, "Joined", null);
        float[][] expected = Scores(joined), found = Scores(pairs);
        Assert.Equal(expected, found);
        Assert.True(found.Select(scores => scores[0]).Distinct().Count() > 10, "the model tells pairs apart");
        ITransformer loaded = EstimatorContract.Reload(new MLContext(), pairs, Data.Schema);
        Assert.Equal(expected, Scores(loaded));
        foreach (ITransformer transformer in new[] { pairs, joined, loaded }) ((IDisposable)transformer).Dispose();
    }

    [Fact]
    public void Validation_rows_are_pairs_too()
    {
        var recorder = new ProgressRecorder();
        IDataView set = Data;
        using SequenceClassificationTransformer trained = Binary(options => (options.ValidationSet, options.Progress, options.Epochs) = (set, recorder, 1)).Fit(Data);
        double expected = _ml.BinaryClassification.Evaluate(trained.Transform(Data), "Entails").LogLoss * Math.Log(2);
        Assert.Equal(expected, recorder.Validations.Last().Validation![ValidationMetric.LogLoss], 1e-4);
        IDataView without = _ml.Transforms.DropColumns("Hypothesis").Fit(Data).Transform(Data);
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => Binary(options => options.ValidationSet = without).Fit(Data)).Message;
        Assert.Contains("ValidationSet: Schema mismatch for text pair column (TextPairColumnName) 'Hypothesis'", message);
        using SequenceClassificationTransformer split = Binary(options => (options.ValidationFraction, options.Epochs) = (0.3, 1)).Fit(Data);
        Assert.Equal("Hypothesis", split.TextPairColumnName);
    }

    [Fact]
    public void Trainers_of_pairs_are_good_estimators()
    {
        IDataView without = _ml.Transforms.DropColumns("Hypothesis").Fit(Data).Transform(Data);
        IDataView mistyped = _ml.Transforms.CopyColumns("Hypothesis", "Similarity").Fit(Data).Transform(Data);
        EstimatorContract.Check(_ml, Binary(options => options.Epochs = 1), Data, without, mistyped);
        EstimatorContract.Check(_ml, Estimator("multi-class", "Premise", "Hypothesis"), Data, without, mistyped);
        EstimatorContract.Check(_ml, Estimator("multi-label", "Premise", "Hypothesis"), Data, without, mistyped);
        EstimatorContract.Check(_ml, Estimator("regression", "Premise", "Hypothesis"), Data, without, mistyped);
    }

    [Fact]
    public void A_column_of_second_texts_needs_a_name_of_its_own()
    {
        foreach (string kind in new[] { "multi-class", "binary", "multi-label", "regression" })
        {
            Assert.Contains("TextPairColumnName is 'Premise'", Assert.Throws<ArgumentException>(() => Estimator(kind, "Premise", "Premise")).Message);
            Assert.Throws<ArgumentException>(() => Estimator(kind, "Premise", ""));
        }
    }

    [Fact]
    public void Pairs_that_are_cut_are_counted_and_reported()
    {
        var log = new LogRecorder(_ml);
        using SequenceClassificationTransformer trained = Binary(options => (options.MaxLength, options.Epochs) = (10, 1)).Fit(Data);
        int cut = Rows().Count(row => row.Premise.Length + row.Hypothesis.Length + 3 > 10);
        Assert.InRange(cut, 1, Rows().Length - 1);
        Assert.Contains(log.Of(ChannelMessageKind.Warning), message => message.Contains($"{cut} training texts were longer than 10 tokens and were cut (End)"));
        _ = Scores(trained);
        Assert.Contains(log.Of(ChannelMessageKind.Warning), message => message.Contains($"{cut} of {Rows().Length} pairs of texts of columns 'Premise' and 'Hypothesis'"));
    }

    [Fact]
    public void A_tokenizer_that_puts_nothing_between_the_texts_is_warned_of()
    {
        const string Warning = "puts nothing between the two texts of a pair";
        var log = new LogRecorder(_ml);
        ((IDisposable)Train("binary", "Premise", "Hypothesis")).Dispose();
        Assert.DoesNotContain(log.Of(ChannelMessageKind.Warning), message => message.Contains(Warning));
        TinyModel.Tokenizer().Save(_folder);
        foreach (string kind in new[] { "binary", "regression" })
        {
            log = new LogRecorder(_ml);
            ((IDisposable)Train(kind, "Joined", null)).Dispose();
            Assert.DoesNotContain(log.Of(ChannelMessageKind.Warning), message => message.Contains(Warning));
            ((IDisposable)Train(kind, "Premise", "Hypothesis")).Dispose();
            Assert.Contains(log.Of(ChannelMessageKind.Warning), message => message.Contains(Warning) && message.Contains("FormatPrompt(\"Pair\", \"{Premise}\\n{Hypothesis}\")"));
        }
    }

    [Fact]
    public void A_checkpoint_goes_on_with_the_same_pairs_and_is_refused_for_other_ones()
    {
        string checkpoints = Path.Combine(_folder, "checkpoints");
        void Options(SequenceClassificationOptions options) => (options.CheckpointFolder, options.CheckpointSteps) = (checkpoints, 1);
        using SequenceClassificationTransformer whole = Binary(_ => { }).Fit(Data);
        using (var source = new CancellationTokenSource())
        {
            var recorder = new ProgressRecorder(report =>
            {
                if (report.Step == 2) source.Cancel();
            });
            var cancelled = Assert.Throws<TrainingCanceledException>(() => Binary(options =>
            {
                Options(options);
                (options.Progress, options.CancellationToken) = (recorder, source.Token);
            }).Fit(Data));
            ((IDisposable)cancelled.Model).Dispose();
        }

        var error = Assert.Throws<InvalidOperationException>(() => Binary(options =>
        {
            Options(options);
            options.TextPairColumnName = null;
        }).Fit(Data));
        Assert.Contains("the training rows differs", error.Message);
        using SequenceClassificationTransformer resumed = Binary(Options).Fit(Data);
        Assert.Equal(Scores(whole), Scores(resumed));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private IDataView Data
    {
        get
        {
            IDataView rows = _ml.Data.LoadFromEnumerable(Rows());
            return _ml.Transforms.Conversion.MapValueToKey("Label", "Relation").Fit(rows).Transform(rows);
        }
    }

    private static Row[] Rows()
    {
        var random = new Random(3);
        string Text() => string.Concat(Enumerable.Range(0, random.Next(0, 9)).Select(_ => "abc"[random.Next(3)]));
        return [.. Enumerable.Range(0, 24).Select(_ =>
        {
            string premise = Text(), hypothesis = Text();
            bool entails = hypothesis.All(premise.Contains);
            return new Row
            {
                Premise = premise, Hypothesis = hypothesis, Joined = premise + Separator + hypothesis, Entails = entails, Relation = entails ? "entailment" : premise.Any(hypothesis.Contains) ? "neutral" : "contradiction",
                Similarity = (float)premise.Intersect(hypothesis).Count() / 3, Both = [entails, premise.Length > hypothesis.Length],
            };
        })];
    }

    private float[][] Scores(ITransformer transformer)
    {
        IDataView scored = transformer.Transform(Data);
        return scored.Schema["Score"].Type is VectorDataViewType ? [.. scored.GetColumn<float[]>("Score")] : [.. scored.GetColumn<float>("Score").Select(score => (float[])[score])];
    }

    private SequenceClassificationEstimator Binary(Action<SequenceClassificationOptions> change)
    {
        SequenceClassificationOptions options = Options("Hypothesis");
        change(options);
        return _ml.BinaryClassification.Trainers.SequenceClassification("Entails", "Premise", options);
    }

    private SequenceClassificationOptions Options(string? pair) => new() { Model = _folder, Precision = Precision.Float32, LearningRate = 5e-3, BatchSize = 8, Epochs = 2, TextPairColumnName = pair };

    private IEstimator<ITransformer> Estimator(string kind, string text, string? pair) => kind switch
    {
        "multi-class" => _ml.Trainer(Options(pair), text: text),
        "binary" => _ml.BinaryClassification.Trainers.SequenceClassification("Entails", text, Options(pair)),
        "multi-label" => _ml.Trainer(Options(pair), "Both", text),
        _ => _ml.Regression.Trainers.SequenceRegression(
            "Similarity", text, new() { Model = _folder, Precision = Precision.Float32, LearningRate = 5e-3, BatchSize = 8, Epochs = 2, TextPairColumnName = pair }),
    };

    private ITransformer Train(string kind, string text, string? pair) => Estimator(kind, text, pair).Fit(Data);

    private sealed class Row
    {
        public string Premise { get; set; } = "";

        public string Hypothesis { get; set; } = "";

        public string Joined { get; set; } = "";

        public bool Entails { get; set; }

        public string Relation { get; set; } = "";

        public float Similarity { get; set; }

        [VectorType(2)]
        public bool[] Both { get; set; } = [];
    }
}
