using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public sealed class SequenceClassificationScoringTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "mlcomponents-" + Path.GetRandomFileName());

    public SequenceClassificationScoringTests()
    {
        using SequenceClassificationModel model = TinyModel.Model(3);
        model.Save(_folder);
        TinyModel.Tokenizer().Save(_folder);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_is_a_good_estimator()
    {
        IDataView data = Tickets.View(_ml, 40);
        IDataView missing = _ml.Transforms.DropColumns("Text").Fit(data).Transform(data);
        IDataView mistyped = _ml.Transforms.CopyColumns("Text", "Vector").Fit(data).Transform(data);
        EstimatorContract.Check(_ml, _ml.Transforms.Text.SequenceClassification(_folder), data, missing, mistyped);
    }

    [Fact]
    public void It_scores_as_the_model_that_was_saved_and_names_its_labels()
    {
        using SequenceClassificationTransformer original = TinyModel.Multiclass(_ml, settings: new());
        IDataView data = Tickets.View(_ml, 40);
        using SequenceClassificationTransformer loaded = _ml.Transforms.Text.SequenceClassification(_folder, new() { Device = "cpu" }).Fit(data);
        Assert.Equal(["L0", "L1", "L2"], loaded.LabelNames);
        Assert.Equal(EstimatorContract.Values(original.Transform(data), "Score"), EstimatorContract.Values(loaded.Transform(data), "Score"));
    }

    [Fact]
    public void It_works_within_a_pipeline_with_a_prompt()
    {
        IDataView data = Tickets.View(_ml, 20);
        var pipeline = _ml.Transforms.Text.FormatPrompt("Prompt", "Text: {Text}")
            .Append(_ml.Transforms.Text.SequenceClassification(_folder, new() { TextColumnName = "Prompt" }))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel"));
        EstimatorContract.Check(_ml, pipeline, data);
    }

    [Fact]
    public void A_missing_folder_is_refused_at_once() =>
        Assert.Contains("nowhere", Assert.Throws<FileNotFoundException>(() => _ml.Transforms.Text.SequenceClassification(Path.Combine(_folder, "nowhere"))).Message);

    [Fact]
    public void A_model_without_a_classification_head_is_refused()
    {
        using (var headless = new CausalLanguageModel(TinyModel.Model(3).Config)) headless.Save(_folder);
        IDataView data = Tickets.View(_ml, 2);
        Assert.Contains("no classification head", Assert.Throws<FormatException>(() => _ml.Transforms.Text.SequenceClassification(_folder).Fit(data)).Message);
    }
}
