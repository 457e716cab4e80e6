using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

/// <summary>Pairs of texts in two columns, scored by a transformer.</summary>
public class TextPairScoringTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly List<string> _messages = [];

    public TextPairScoringTests() => _ml.Log += (_, message) => _messages.Add(message.Message);

    private static SequenceClassificationSettings Settings => new() { TextColumnName = "Premise", TextPairColumnName = "Hypothesis", BatchSize = 4, LookAhead = 16 };

    private IDataView Data => _ml.Data.LoadFromEnumerable(Rows());

    [Fact]
    public void Scores_of_a_pair_are_those_of_its_ids()
    {
        using SequenceClassificationTransformer transformer = Classifier(Settings);
        Assert.Equal(("Premise", "Hypothesis"), (transformer.TextColumnName, transformer.TextPairColumnName));
        using var scorer = new TextClassifier(TinyModel.Model(3), TinyModel.Tokenizer(wrapped: true), null, TruncationSide.End);
        float[][] scores = [.. transformer.Transform(Data).GetColumn<float[]>("Score")];
        foreach ((Row row, float[] found) in Rows().Zip(scores))
        {
            int[] ids = [.. scorer.Tokenizer.Encode((row.Premise, row.Hypothesis), options: null).Ids];
            float[] expected = Classification.Multiclass(scorer.Forward([ids])[0]).Scores;
            Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }

    [Fact]
    public void A_text_is_no_pair_with_an_empty_second_text()
    {
        TextInput Read(string? pair)
        {
            TextColumns columns = TextColumns.Find(Data.Schema, "Hypothesis", pair);
            using DataViewRowCursor cursor = Data.GetRowCursor(columns.All);
            Func<TextInput> read = columns.Reader(cursor);
            cursor.MoveNext();
            cursor.MoveNext();
            cursor.MoveNext();
            return read();
        }

        Assert.Null(Read(null).Pair);
        Assert.Equal("", Read("Premise").Pair.ToString());
        Assert.Equal(("x", 1), (Read("Premise").Text.ToString(), Read("Premise").Length));
    }

    [Fact]
    public void A_transformer_of_pairs_is_a_good_transformer()
    {
        IDataView missing = _ml.Transforms.DropColumns("Hypothesis").Fit(Data).Transform(Data);
        IDataView mistyped = _ml.Transforms.CopyColumns("Hypothesis", "Number").Fit(Data).Transform(Data);
        using SequenceClassificationTransformer classifier = Classifier(Settings);
        EstimatorContract.CheckTransformer(_ml, classifier, Data, missing, mistyped);
        using var regression = new SequenceRegressionTransformer(_ml, new TextClassifier(TinyModel.Model(1), TinyModel.Tokenizer(wrapped: true), null, TruncationSide.End), Settings);
        EstimatorContract.CheckTransformer(_ml, regression, Data, missing, mistyped);
        using var loaded = (SequenceRegressionTransformer)EstimatorContract.Reload(_ml, regression, Data.Schema);
        Assert.Equal("Hypothesis", loaded.TextPairColumnName);
    }

    [Fact]
    public void A_missing_or_mistyped_column_of_second_texts_is_named_with_its_option()
    {
        using SequenceClassificationTransformer transformer = Classifier(Settings);
        void Refused(IDataView bad, params string[] words)
        {
            foreach (string message in new[] { Assert.Throws<ArgumentOutOfRangeException>(() => transformer.Transform(bad)).Message, Promised(bad) })
                Assert.All((string[])["text pair column (TextPairColumnName) 'Hypothesis'", "expected String", .. words], word => Assert.Contains(word, message));
        }

        Refused(_ml.Transforms.DropColumns("Hypothesis").Fit(Data).Transform(Data), "no such column", "'Premise'");
        Refused(_ml.Transforms.CopyColumns("Hypothesis", "Number").Fit(Data).Transform(Data), "Single");

        static string Promised(IDataView bad) =>
            Assert.Throws<ArgumentOutOfRangeException>(() => ClassificationSchema.Promise(MLNetInterop.ShapeOf(bad.Schema), Settings, ClassLabels.Binary)).Message;
    }

    [Fact]
    public void A_column_of_second_texts_needs_a_name_of_its_own()
    {
        Assert.Contains("column of the first texts already", Assert.Throws<ArgumentException>(() => Classifier(new() { TextPairColumnName = "Text" })).Message);
        Assert.Throws<ArgumentException>(() => Classifier(new() { TextPairColumnName = "" }));
    }

    [Fact]
    public void Pairs_that_were_cut_are_counted_and_reported_with_both_columns()
    {
        SequenceClassificationSettings settings = Settings;
        settings.MaxLength = 12;
        using SequenceClassificationTransformer transformer = Classifier(settings);
        _ = transformer.Transform(Data).GetColumn<float>("Probability").Count();
        Assert.Contains(_messages, message => message.Contains("2 of 5 pairs of texts of columns 'Premise' and 'Hypothesis' had more than 12 tokens and were cut (TruncationSide End)"));
    }

    [Fact]
    public void Both_columns_are_read_where_only_scores_are_asked_for()
    {
        using SequenceClassificationTransformer transformer = Classifier(Settings);
        IRowToRowMapper mapper = ((ITransformer)transformer).GetRowToRowMapper(Data.Schema);
        DataViewSchema.Column[] needed = [.. mapper.GetDependencies([mapper.OutputSchema["Score"]])];
        Assert.Equal(["Premise", "Hypothesis"], needed.Select(column => column.Name));
        using PredictionEngine<Row, Prediction> engine = _ml.Model.CreatePredictionEngine<Row, Prediction>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.NotEqual(engine.Predict(new Row { Premise = "it rains", Hypothesis = "it is wet" }).Score, engine.Predict(new Row { Premise = "it rains", Hypothesis = "it is dry" }).Score);
    }

    private static Row[] Rows() =>
    [
        new() { Premise = "it rains", Hypothesis = "wet" }, new() { Premise = "it rains", Hypothesis = "it is rather dry" },
        new() { Premise = "", Hypothesis = "x" }, new() { Premise = "x", Hypothesis = "" }, new() { Premise = "", Hypothesis = "" },
    ];

    private SequenceClassificationTransformer Classifier(SequenceClassificationSettings settings) =>
        new(_ml, TinyModel.Model(3), TinyModel.Tokenizer(wrapped: true), ClassLabels.Text(["no", "maybe", "yes"]), settings);

    private sealed class Row
    {
        public string Premise { get; set; } = "";

        public string Hypothesis { get; set; } = "";

        public float Number { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
