using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

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

    [Theory]
    [InlineData("regression")]
    [InlineData("multi_label_classification")]
    public void A_model_that_does_not_choose_one_label_is_refused_by_its_problem_type(string problem)
    {
        string config = Path.Combine(_folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"model_type\"", $"\"problem_type\": \"{problem}\", \"model_type\""));
        Assert.Contains("problem_type", Assert.Throws<NotSupportedException>(() => _ml.Transforms.Text.SequenceClassification(_folder)).Message);
    }

    [Fact]
    public void A_length_beyond_the_context_is_refused_before_the_weights_are_read()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.Text.SequenceClassification(_folder, new() { MaxLength = TinyModel.Context + 1 }));
        Assert.Contains($"{TinyModel.Context} tokens", error.Message);
    }

    [Fact]
    public void A_tokenizer_larger_than_the_model_is_refused_with_the_folder()
    {
        using (SequenceClassificationModel model = TinyModel.Model(3, vocabulary: 200)) model.Save(_folder);
        Assert.Contains(_folder, Assert.Throws<FormatException>(() => _ml.Transforms.Text.SequenceClassification(_folder).Fit(Tickets.View(_ml, 2))).Message);
    }

    [Fact]
    public void A_float16_folder_scores_as_the_same_numbers_in_float32()
    {
        IDataView data = Tickets.View(_ml, 20);
        using (SequenceClassificationModel model = TinyModel.Model(3)) model.Save(_folder, ScalarType.Float16);
        using SequenceClassificationTransformer half = _ml.Transforms.Text.SequenceClassification(_folder, new() { Device = "cpu" }).Fit(data);
        List<object> scores = EstimatorContract.Values(half.Transform(data), "Score");
        using (SequenceClassificationModel model = SequenceClassificationModel.Load(_folder, dtype: ScalarType.Float32)) model.Save(_folder);
        using SequenceClassificationTransformer single = _ml.Transforms.Text.SequenceClassification(_folder, new() { Device = "cpu" }).Fit(data);
        Assert.Equal(EstimatorContract.Values(single.Transform(data), "Score"), scores);
    }

    [Fact]
    public void Tensors_that_the_model_has_no_place_for_are_told_in_the_log()
    {
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        _ml.Log += (_, message) => messages.Enqueue(message.Message);
        using (SequenceClassificationModel model = TinyModel.Model(3))
        using (Tensor stranger = ones(4))
        {
            SafetensorsWriter.Write(Path.Combine(_folder, "model.safetensors"),
                [.. model.named_parameters().Select(pair => new KeyValuePair<string, Tensor>(pair.name, pair.parameter)), new("model.layers.0.self_attn.q_norm.weight", stranger)]);
        }

        _ml.Transforms.Text.SequenceClassification(_folder).Fit(Tickets.View(_ml, 2)).Dispose();
        Assert.Contains(messages, message => message.Contains("q_norm.weight", StringComparison.Ordinal));
    }
}
