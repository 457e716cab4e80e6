using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

/// <summary>Rows for classifiers whose outputs are letters: the text is mostly the letter of its label.</summary>
internal static class Tickets
{
    public const int Labels = 3;

    internal sealed class Ticket
    {
        public int Id { get; set; }
        public string Text { get; set; } = "";
        public string Queue { get; set; } = "";
        public bool Urgent { get; set; }

        [VectorType(2)]
        public float[] Vector { get; set; } = [0, 0];
    }

    internal sealed class Scored
    {
        public int Id { get; set; }
        public string Text { get; set; } = "";
        public float[] Score { get; set; } = [];
        public float Probability { get; set; }
        public float[] Vector { get; set; } = [];
        public uint PredictedLabel { get; set; }
    }

    /// <summary>Rows of very different lengths, 1 to 60 characters, most of them the letter of the label, in no order of length.</summary>
    public static Ticket[] Rows(int count)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count).Select(id =>
        {
            int label = random.Next(Labels), length = 1 + (id * 37 % 60);
            char Letter() => (char)('a' + (random.NextDouble() < 0.8 ? label : random.Next(Labels)));
            return new Ticket
            {
                Id = id, Queue = $"queue {(char)('A' + label)}", Urgent = label == 1, Vector = [id, -id],
                Text = string.Concat(Enumerable.Range(0, length).Select(_ => Letter())),
            };
        })];
    }

    public static IDataView View(MLContext ml, int count) => Keyed(ml, ml.Data.LoadFromEnumerable(Rows(count)));

    /// <summary>Adds Label, the queue's key, with the queues in the order of the letters.</summary>
    public static IDataView Keyed(MLContext ml, IDataView data)
    {
        IDataView keys = ml.Data.LoadFromEnumerable(Enumerable.Range(0, Labels).Select(label => new { Queue = $"queue {(char)('A' + label)}" }));
        return ml.Transforms.Conversion.MapValueToKey("Label", "Queue", keyData: keys).Fit(data).Transform(data);
    }

    public static SequenceClassificationTransformer Multiclass(MLContext ml, ITextScorer scorer, SequenceClassificationSettings? settings = null) =>
        new(ml, scorer, ClassLabels.Text(["queue A", "queue B", "queue C"]), settings ?? new());

    /// <summary>Two outputs, of which the second counts the letter that urgent rows have.</summary>
    public static SequenceClassificationTransformer Binary(MLContext ml, ITextScorer scorer, SequenceClassificationSettings? settings = null) =>
        new(ml, scorer, ClassLabels.Binary, settings ?? new());
}
