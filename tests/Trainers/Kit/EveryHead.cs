using Microsoft.ML;

namespace MLComponents.Trainers.Tests;

/// <summary>Short runs of every trainer, on a few rows of its own.</summary>
internal static class EveryHead
{
    private sealed class Sentence
    {
        public string[] Text { get; set; } = [];
        public string[] Label { get; set; } = [];
    }

    private sealed class Asked
    {
        public string Context { get; set; } = "";
        public string Question { get; set; } = "";
        public string TrainingAnswer { get; set; } = "";
        public int AnswerIndex { get; set; }
    }

    public static IEnumerable<TheoryDataRow<string>> Rows() =>
        new[] { "one label", "several labels", "a number", "tags", "answers", "a language" }.Select(head => new TheoryDataRow<string>(head));

    /// <summary>Trains, and gives what the run reports.</summary>
    /// <param name="head">One of <see cref="Rows"/>.</param>
    /// <param name="ml">The context.</param>
    /// <param name="folder">The model.</param>
    /// <param name="change">Sets options.</param>
    public static ProgressRecorder Fit(string head, MLContext ml, TinyFolder folder, Action<FineTuningOptions> change)
    {
        var recorder = new ProgressRecorder();
        T Options<T>(T options)
            where T : FineTuningOptions
        {
            (options.Model, options.Progress) = (folder.Path, recorder);
            change(options);
            return options;
        }

        var random = new Random(3);
        using var trained = (IDisposable)(object)(head switch
        {
            "one label" => ml.Trainer(Options(new SequenceClassificationOptions())).Fit(Tickets.View(ml, 64)),
            "several labels" => ml.Trainer(Options(new SequenceClassificationOptions()), "Occurs").Fit(Letters.View(ml, 40)),
            "a number" => ml.Regression.Trainers.SequenceRegression("Share", "Text", Options(new SequenceRegressionOptions())).Fit(Letters.View(ml, 40)),
            "tags" => ml.MulticlassClassification.Trainers.TokenClassification("Label", "Text", Options(new TokenClassificationOptions())).Fit(ml.Data.LoadFromEnumerable(
                Enumerable.Range(0, 30).Select(_ => Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(3)).ToArray()).Select(words => new Sentence
                {
                    Text = [.. words.Select(word => new string((char)('a' + word), 1 + word))],
                    Label = [.. words.Select(word => word == 2 ? "B-N" : "O")],
                }).ToArray())),
            "answers" => ml.MulticlassClassification.Trainers.QuestionAnswering(options: Options(new QuestionAnsweringOptions { MaxLength = 40 })).Fit(ml.Data.LoadFromEnumerable(
                Enumerable.Range(0, 30).Select(_ => new string('a', random.Next(1, 20))).Select(before => new Asked
                {
                    Context = before + " 7 b", Question = "which?", TrainingAnswer = "7", AnswerIndex = before.Length + 1,
                }).ToArray())),
            "a language" => (object)ml.Transforms.Text.CausalLanguageModel("Text", Options(new CausalLanguageModelOptions())).Fit(Letters.View(ml, 40)),
            _ => throw new ArgumentOutOfRangeException(nameof(head), head, "Not a head."),
        });
        return recorder;
    }
}
