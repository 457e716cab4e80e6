using Microsoft.ML;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class TokenClassificationMetricsTests
{
    private readonly MLContext _ml = new(seed: 1);

    private sealed class Row
    {
        public string[] Label { get; set; } = [];
        public string[] PredictedLabel { get; set; } = [];
    }

    private TokenClassificationMetrics Evaluate(params (string True, string Predicted)[] rows) =>
        _ml.MulticlassClassification.EvaluateTokenClassification(_ml.Data.LoadFromEnumerable(rows.Select(row => new Row { Label = row.True.Split(' '), PredictedLabel = row.Predicted.Split(' ') })));

    /// <summary>The example of seqeval's own page, with the numbers that it prints.</summary>
    [Fact]
    public void The_published_example_gives_the_published_numbers()
    {
        TokenClassificationMetrics metrics = Evaluate(("O O O B-MISC I-MISC I-MISC O", "O O B-MISC I-MISC I-MISC I-MISC O"), ("B-PER I-PER O", "B-PER I-PER O"));
        Assert.Equal((0.5, 0.5, 0.5), (metrics.Precision, metrics.Recall, metrics.F1));
        Assert.Equal(0.8, metrics.TokenAccuracy, 1e-12);
        Assert.Equal([new EntityTypeMetrics("MISC", 0, 0, 0, 1), new EntityTypeMetrics("PER", 1, 1, 1, 1)], metrics.PerType);
        Assert.Equal((0.5, 0.5), (metrics.MacroF1, metrics.WeightedF1));
        Assert.Equal((2L, 10L), (metrics.Entities, metrics.Tokens));
    }

    [Fact]
    public void Types_that_are_only_found_count_against_precision_and_for_nothing_else()
    {
        TokenClassificationMetrics metrics = Evaluate(("B-A O B-A O", "B-A B-B O O"));
        Assert.Equal((0.5, 0.5), (metrics.Precision, metrics.Recall));
        Assert.Equal([new EntityTypeMetrics("A", 1, 0.5, 2.0 / 3, 2), new EntityTypeMetrics("B", 0, 0, 0, 0)], metrics.PerType);
        Assert.Equal(1.0 / 3, metrics.MacroF1, 1e-12);
        Assert.Equal(2.0 / 3, metrics.WeightedF1, 1e-12);
    }

    [Fact]
    public void Tokens_without_a_label_are_left_out_on_both_sides()
    {
        IDataView keys = _ml.Data.LoadFromEnumerable(new[] { "O", "B-A" }.Select(tag => new { Tag = tag }));
        IDataView data = _ml.Data.LoadFromEnumerable([new Row { Label = ["B-A", "unknown", "O"], PredictedLabel = ["B-A", "B-A", "O"] }]);
        IDataView keyed = _ml.Transforms.Conversion.MapValueToKey([new InputOutputColumnPair("Label"), new InputOutputColumnPair("PredictedLabel")], keyData: keys).Fit(data).Transform(data);
        TokenClassificationMetrics metrics = _ml.MulticlassClassification.EvaluateTokenClassification(keyed);
        Assert.Equal((1.0, 2L), (metrics.F1, metrics.Tokens));
    }

    [Fact]
    public void Entities_of_whole_texts_are_compared_by_label_and_characters()
    {
        Marked[] rows =
        [
            new() { Label = ["A", "B"], SpanStart = [0, 4], SpanLength = [3, 2], EntityLabel = ["B", "A", "A"], EntityStart = [4, 0, 9], EntityLength = [2, 3, 1] },
            new() { Label = ["A", "A"], SpanStart = [0, 4], SpanLength = [3, 2], EntityLabel = ["A", "B"], EntityStart = [0, 4], EntityLength = [2, 2] },
            new(),
        ];
        EntityMetrics metrics = _ml.MulticlassClassification.EvaluateEntities(_ml.Data.LoadFromEnumerable(rows));
        Assert.Equal((2.0 / 5, 2.0 / 4, 4L), (metrics.Precision, metrics.Recall, metrics.Entities));
        Assert.Equal([("A", 1.0 / 3, 1.0 / 3, 3L), ("B", 0.5, 1.0, 1L)], metrics.PerType.Select(type => (type.Type, type.Precision, type.Recall, type.Support)));
    }

    [Fact]
    public void Entities_that_do_not_fit_each_other_are_refused_by_row_and_column()
    {
        string Refused(Marked row) => Assert.Throws<InvalidOperationException>(() => _ml.MulticlassClassification.EvaluateEntities(_ml.Data.LoadFromEnumerable([new Marked(), row]))).Message;
        Assert.Contains("Row 1 has 1 entities in column 'Label', 0 in 'SpanStart'", Refused(new Marked { Label = ["A"] }));
        Assert.Contains("Row 1 has 0 entities in column 'EntityLabel', 0 in 'EntityStart' and 1 in 'EntityLength'", Refused(new Marked { EntityLength = [1] }));
        Assert.Contains("without a label in column 'Label', at place 1", Refused(new Marked { Label = ["A", ""], SpanStart = [0, 1], SpanLength = [1, 1] }));
        Assert.Contains("expected starts from 0", Refused(new Marked { Label = ["A"], SpanStart = [-1], SpanLength = [1] }));
        Assert.Contains("lengths from 1", Refused(new Marked { Label = ["A"], SpanStart = [1], SpanLength = [0] }));
        Assert.Contains("'EntityStart'", Assert.Throws<ArgumentOutOfRangeException>(() => _ml.MulticlassClassification.EvaluateEntities(_ml.Transforms.DropColumns("EntityStart")
            .Fit(_ml.Data.LoadFromEnumerable([new Marked()])).Transform(_ml.Data.LoadFromEnumerable([new Marked()])))).Message);
    }

    private sealed class Marked
    {
        public string[] Label { get; set; } = [];
        public int[] SpanStart { get; set; } = [];
        public int[] SpanLength { get; set; } = [];
        public string[] EntityLabel { get; set; } = [];
        public int[] EntityStart { get; set; } = [];
        public int[] EntityLength { get; set; } = [];
    }

    [Fact]
    public void Rows_of_unlike_length_and_columns_of_other_types_are_refused()
    {
        Assert.Contains("Row 1 has 2 tags", Assert.Throws<InvalidOperationException>(() => Evaluate(("O", "O"), ("O O", "O"))).Message);
        IDataView wrong = _ml.Data.LoadFromEnumerable([new { Label = "O", PredictedLabel = "O" }]);
        Assert.Contains("'Label'", Assert.Throws<ArgumentOutOfRangeException>(() => _ml.MulticlassClassification.EvaluateTokenClassification(wrong)).Message);
    }
}
