using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class ClassificationPipelineTests
{
    private readonly MLContext _ml = new(seed: 1);

    private static readonly SequenceClassificationSettings s_settings = new() { BatchSize = 8, LookAhead = 32 };

    private IDataView Scored(int rows = 200) => Tickets.Multiclass(_ml, new CountingScorer(3), s_settings).Transform(Tickets.View(_ml, rows));

    [Fact]
    public void Multiclass_evaluation_knows_the_classes()
    {
        MulticlassClassificationMetrics metrics = _ml.MulticlassClassification.Evaluate(Scored(), topKPredictionCount: 2);
        Assert.InRange(metrics.MicroAccuracy, 0.9, 1);
        Assert.InRange(metrics.LogLoss, 0, 0.5);
        Assert.InRange(metrics.TopKAccuracy, metrics.MicroAccuracy, 1);
        Assert.Equal(3, metrics.ConfusionMatrix.NumberOfClasses);
        Assert.Contains("queue B", metrics.ConfusionMatrix.GetFormattedConfusionTable());
    }

    [Fact]
    public void Binary_evaluation_takes_scores_and_probabilities()
    {
        var scorer = new CountingScorer(2);
        IDataView scored = Tickets.Binary(_ml, scorer, s_settings).Transform(Tickets.View(_ml, 200));
        CalibratedBinaryClassificationMetrics metrics = _ml.BinaryClassification.Evaluate(scored, "Urgent");
        BinaryClassificationMetrics plain = _ml.BinaryClassification.EvaluateNonCalibrated(scored, "Urgent");
        Assert.Equal(plain.Accuracy, metrics.Accuracy);
        Assert.InRange(metrics.AreaUnderRocCurve, 0.8, 1);
        Assert.True(double.IsFinite(metrics.LogLoss));
        float[] scores = [.. scored.GetColumn<float>("Score")], probabilities = [.. scored.GetColumn<float>("Probability")];
        bool[] predicted = [.. scored.GetColumn<bool>("PredictedLabel")];
        for (int i = 0; i < scores.Length; i++)
        {
            Assert.Equal(scores[i] > 0, predicted[i]);
            Assert.Equal(1 / (1 + Math.Exp(-scores[i])), probabilities[i], 1e-6);
        }
    }

    [Fact]
    public void A_binary_model_may_have_one_output()
    {
        IDataView scored = Tickets.Binary(_ml, new CountingScorer(1), s_settings).Transform(Tickets.View(_ml, 10));
        Assert.Equal(Tickets.Rows(10).Select(row => (float)row.Text.Count(c => c == 'a')), scored.GetColumn<float>("Score"));
    }

    [Fact]
    public void Predicted_keys_map_back_to_labels()
    {
        IDataView scored = Scored();
        IDataView named = _ml.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel").Fit(scored).Transform(scored);
        string[] expected = [.. Tickets.Rows(200).Select(row => row.Queue)];
        Assert.InRange(named.GetColumn<string>("Named").Zip(expected).Count(pair => pair.First == pair.Second), 180, 200);
    }

    [Theory]
    [InlineData(typeof(string))]
    [InlineData(typeof(int))]
    [InlineData(typeof(float))]
    [InlineData(typeof(bool))]
    [InlineData(typeof(DateTime))]
    [InlineData(typeof(ulong))]
    public void Labels_keep_their_type_through_a_file(Type type)
    {
        object[] values = type == typeof(string) ? ["a", "b"] : type == typeof(bool) ? [false, true] : type == typeof(DateTime) ? [new DateTime(2026, 1, 2), new DateTime(2027, 1, 2)]
            : [Convert.ChangeType(5, type), Convert.ChangeType(9, type)];
        typeof(ClassificationPipelineTests).GetMethod(nameof(CheckLabels), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!
            .MakeGenericMethod(type).Invoke(this, [values]);
    }

    private sealed class Labelled<T>
    {
        public T Value { get; set; } = default!;
    }

    private void CheckLabels<T>(object[] values)
    {
        IDataView data = _ml.Data.LoadFromEnumerable(values.Select(value => new Labelled<T> { Value = (T)value }).ToArray());
        IDataView keyed = _ml.Transforms.Conversion.MapValueToKey("Label", "Value").Fit(data).Transform(data);
        ClassLabels labels = ClassLabels.FromKeyColumn(keyed.Schema["Label"]);
        using var stream = new MemoryStream();
        labels.Write(new BinaryWriter(stream));
        stream.Position = 0;
        ClassLabels read = ClassLabels.Read(new BinaryReader(stream));
        Assert.Equal(labels.Names, read.Names);
        IDataView tickets = Tickets.View(_ml, 20);
        IDataView scored = new SequenceClassificationTransformer(_ml, new CountingScorer(2), read, s_settings).Transform(tickets);
        IDataView named = _ml.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel").Fit(scored).Transform(scored);
        Assert.Equal(keyed.Schema["Value"].Type, named.Schema["Named"].Type);
        Assert.All(EstimatorContract.Values(named, "Named"), value => Assert.Contains(value, values.Select(known => known)));
    }

    [Fact]
    public void The_shape_of_a_key_column_says_what_labels_to_promise()
    {
        IDataView data = Tickets.View(_ml, 5);
        SchemaShape.Column Column(string name) => MLNetInterop.ShapeOf(data.Schema).Single(column => column.Name == name);
        EstimatorContract.CheckShapes(
            ClassificationSchema.Promise(MLNetInterop.ShapeOf(data.Schema), new(), ClassLabels.OfShape(Column("Label"))),
            MLNetInterop.ShapeOf(Tickets.Multiclass(_ml, new CountingScorer(3)).GetOutputSchema(data.Schema)));
        Assert.Contains("expected a key, got String", Assert.Throws<ArgumentOutOfRangeException>(() => ClassLabels.OfShape(Column("Queue"))).Message);
        Assert.Contains("expected a key, got String", Assert.Throws<ArgumentOutOfRangeException>(() => ClassLabels.FromKeyColumn(data.Schema["Queue"])).Message);
    }

    [Fact]
    public void Keys_without_values_are_labels_too()
    {
        ClassLabels labels = ClassLabels.Placeholder(null);
        IDataView scored = new SequenceClassificationTransformer(_ml, new CountingScorer(2), labels, s_settings).Transform(Tickets.View(_ml, 20));
        Assert.Null(scored.Schema["PredictedLabel"].Annotations.Schema.GetColumnOrNull("KeyValues"));
        Assert.Equal(["0", "1"], labels.Names);
    }

    [Fact]
    public void Shuffled_cached_and_filtered_rows_stay_whole()
    {
        IDataView scored = _ml.Data.Cache(Scored());
        IDataView shuffled = _ml.Data.ShuffleRows(scored, seed: 3);
        Tickets.Scored[] rows = [.. _ml.Data.CreateEnumerable<Tickets.Scored>(shuffled, reuseRowObject: false, ignoreMissingColumns: true)];
        Tickets.Scored[] plain = [.. _ml.Data.CreateEnumerable<Tickets.Scored>(scored, reuseRowObject: false, ignoreMissingColumns: true)];
        Assert.NotEqual(plain.Select(row => row.Id), rows.Select(row => row.Id));
        foreach (Tickets.Scored row in rows)
        {
            Assert.Equal((plain[row.Id].Text, plain[row.Id].Probability), (row.Text, row.Probability));
            Assert.Equal(plain[row.Id].Score, row.Score);
        }
        Assert.Equal(50, _ml.Data.SkipRows(scored, 150).GetColumn<uint>("PredictedLabel").Count());
    }

    [Fact]
    public void Shuffling_below_the_classifier_shuffles_scores_with_their_rows()
    {
        IDataView scored = Scored();
        IDataView shuffled = _ml.Data.ShuffleRows(scored, seed: 5);
        List<object> ids = EstimatorContract.Values(shuffled, "Id");
        Assert.Equal(200, ids.Distinct().Count());
    }

    [Fact]
    public void Scores_are_saved_as_binary_and_read_back()
    {
        IDataView scored = Scored(60);
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".idv");
        try
        {
            using (FileStream stream = File.Create(file)) _ml.Data.SaveAsBinary(scored, stream);
            IDataView read = _ml.Data.LoadFromBinary(file);
            foreach (string column in new[] { "Id", "Text", "Score", "Probability", "PredictedLabel" })
                Assert.Equal(EstimatorContract.Values(scored, column), EstimatorContract.Values(read, column));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_prediction_engine_scores_each_example_once_and_leaves_a_shared_model_alive()
    {
        var scorer = new CountingScorer(3);
        SequenceClassificationTransformer transformer = Tickets.Multiclass(_ml, scorer, s_settings);
        var options = new PredictionEngineOptions { OwnsTransformer = false };
        using (PredictionEngine<Tickets.Ticket, Tickets.Scored> engine = _ml.Model.CreatePredictionEngine<Tickets.Ticket, Tickets.Scored>(transformer, options))
        {
            Assert.Equal(3u, engine.Predict(new Tickets.Ticket { Text = "accc" }).PredictedLabel);
            Assert.Equal(1u, engine.Predict(new Tickets.Ticket { Text = "aa" }).PredictedLabel);
        }
        Assert.Equal([[4], [2]], scorer.Forwards);
        Assert.False(scorer.Disposed);
    }

    [Fact]
    public void A_prediction_engine_says_when_it_cuts()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        using PredictionEngine<Tickets.Ticket, Tickets.Scored> engine = _ml.Model.CreatePredictionEngine<Tickets.Ticket, Tickets.Scored>(Tickets.Multiclass(_ml, new CountingScorer(3, maxLength: 2), s_settings));
        engine.Predict(new Tickets.Ticket { Text = "ab" });
        Assert.DoesNotContain(messages, message => message.Contains("were cut"));
        engine.Predict(new Tickets.Ticket { Text = "abc" });
        Assert.Single(messages, message => message.Contains("1 of 2 texts"));
    }

    [Fact]
    public void A_chain_disposes_the_model()
    {
        var scorer = new CountingScorer(3);
        var chain = new TransformerChain<ITransformer>(Tickets.Multiclass(_ml, scorer, s_settings));
        chain.Dispose();
        Assert.True(scorer.Disposed);
    }

    [Fact]
    public void A_missing_or_mistyped_text_column_is_named_with_what_was_found_and_expected()
    {
        var ticket = new { Text = 1f, Other = "x" };
        IDataView mistyped = _ml.Data.LoadFromEnumerable(new[] { ticket });
        IDataView missing = _ml.Transforms.DropColumns("Text").Fit(mistyped).Transform(mistyped);
        ITransformer transformer = Tickets.Multiclass(_ml, new CountingScorer(3));
        foreach ((IDataView bad, string found) in new[] { (mistyped, "Single"), (missing, "no such column") })
            foreach (Action action in new Action[] { () => transformer.GetOutputSchema(bad.Schema), () => transformer.Transform(bad), () => transformer.GetRowToRowMapper(bad.Schema) })
            {
                string message = Assert.Throws<ArgumentOutOfRangeException>(action).Message;
                Assert.Contains("'Text'", message);
                Assert.Contains("expected String", message);
                Assert.Contains(found, message);
            }
    }

    [Fact]
    public void A_promise_made_before_training_is_kept()
    {
        IDataView data = Tickets.View(_ml, 5);
        SchemaShape input = MLNetInterop.ShapeOf(data.Schema);
        foreach (ClassLabels labels in new[] { ClassLabels.Binary, ClassLabels.Placeholder(null), ClassLabels.Placeholder(TextDataViewType.Instance), ClassLabels.Placeholder(NumberDataViewType.Int32) })
        {
            ITransformer transformer = new SequenceClassificationTransformer(_ml, new CountingScorer(2), labels, new());
            EstimatorContract.CheckShapes(ClassificationSchema.Promise(input, new(), labels), MLNetInterop.ShapeOf(transformer.GetOutputSchema(data.Schema)));
        }
        IDataView bad = _ml.Transforms.DropColumns("Text").Fit(data).Transform(data);
        Assert.Throws<ArgumentOutOfRangeException>(() => ClassificationSchema.Promise(MLNetInterop.ShapeOf(bad.Schema), new(), ClassLabels.Binary));
    }

    [Fact]
    public void Two_classifiers_in_one_pipeline_have_column_sets_of_their_own()
    {
        IDataView once = Scored(20);
        var names = new SequenceClassificationSettings { PredictedLabelColumnName = "Second", ScoreColumnName = "SecondScore", ProbabilityColumnName = "SecondProbability" };
        IDataView twice = Tickets.Multiclass(_ml, new CountingScorer(3), names).Transform(once);
        uint first = 0, second = 0;
        twice.Schema["Score"].Annotations.GetValue("ScoreColumnSetId", ref first);
        twice.Schema["SecondScore"].Annotations.GetValue("ScoreColumnSetId", ref second);
        Assert.Equal((1u, 2u), (first, second));
        Assert.Equal(EstimatorContract.Values(twice, "Score"), EstimatorContract.Values(twice, "SecondScore"));
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        void Refuse<TError>(SequenceClassificationSettings settings) where TError : ArgumentException =>
            Assert.Throws<TError>(() => Tickets.Multiclass(_ml, new CountingScorer(3), settings));
        Refuse<ArgumentOutOfRangeException>(new() { BatchSize = 0 });
        Refuse<ArgumentOutOfRangeException>(new() { MaxTokensPerBatch = 0 });
        Refuse<ArgumentOutOfRangeException>(new() { LookAhead = 0 });
        Refuse<ArgumentOutOfRangeException>(new() { MaxLength = 0 });
        Refuse<ArgumentOutOfRangeException>(new() { TruncationSide = (TruncationSide)9 });
        Refuse<ArgumentException>(new() { ScoreColumnName = "" });
        Refuse<ArgumentException>(new() { ScoreColumnName = "Probability" });
        Assert.Throws<ArgumentException>(() => Tickets.Multiclass(_ml, new CountingScorer(4)));
    }
}
