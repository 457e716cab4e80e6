using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public sealed class TextGenerationEstimatorTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "mlcomponents-" + Path.GetRandomFileName());

    public TextGenerationEstimatorTests()
    {
        using CausalLanguageModel model = Generators.Model();
        model.GenerationConfig = new GenerationConfig { DoSample = true, Temperature = 0.5, MaxNewTokens = 9 };
        model.Save(_folder);
        TinyModel.Tokenizer(chatTemplate: Generators.Template).Save(_folder);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_is_a_good_estimator()
    {
        IDataView rows = Generators.View(_ml, 12);
        IDataView missing = _ml.Transforms.DropColumns("Text").Fit(rows).Transform(rows);
        IDataView mistyped = _ml.Transforms.CopyColumns("Text", "Number").Fit(rows).Transform(rows);
        IDataView scalar = _ml.Transforms.CopyColumns("Said", "Text").Fit(rows).Transform(rows);
        EstimatorContract.Check(_ml, _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder, FinishReasonColumnName = "Reason", TokenIdsColumnName = "Ids" }), rows, missing, mistyped);
        EstimatorContract.Check(_ml, _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder, Choices = ["a", "b"] }), rows, missing, mistyped);
        EstimatorContract.Check(_ml, _ml.Transforms.Text.GenerateText("Answer", "Text", new()
        {
            Model = _folder,
            Chat = new() { ExampleInputsColumnName = "Said", ExampleOutputsColumnName = "Answered" },
        }), rows, missing, mistyped, scalar);
    }

    [Fact]
    public void It_follows_the_models_own_configuration_also_when_it_is_loaded()
    {
        IDataView rows = Generators.View(_ml, 10);
        using TextGenerationTransformer fitted = _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder, TokenIdsColumnName = "Ids" }).Fit(rows);
        Assert.All(fitted.Transform(rows).GetColumn<int[]>("Ids"), ids => Assert.Equal(9, ids.Length));
        List<object> texts = EstimatorContract.Values(fitted.Transform(rows), "Answer");
        using TextGenerationTransformer greedy = _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder, Generation = new() { DoSample = false } }).Fit(rows);
        Assert.NotEqual(texts, EstimatorContract.Values(greedy.Transform(rows), "Answer"));
        ITransformer loaded = EstimatorContract.Reload(_ml, fitted, rows.Schema);
        Assert.Equal(texts, EstimatorContract.Values(loaded.Transform(rows), "Answer"));
        ((IDisposable)loaded).Dispose();
    }

    [Fact]
    public void Its_model_is_saved_as_a_folder_that_generates_the_same()
    {
        IDataView rows = Generators.View(_ml, 6);
        string saved = Path.Combine(_folder, "saved");
        using TextGenerationTransformer fitted = _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder }).Fit(rows);
        fitted.SavePretrained(saved);
        using TextGenerationTransformer again = _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = saved }).Fit(rows);
        Assert.Equal(EstimatorContract.Values(fitted.Transform(rows), "Answer"), EstimatorContract.Values(again.Transform(rows), "Answer"));
        fitted.Dispose();
        Assert.Throws<ObjectDisposedException>(() => fitted.SavePretrained(saved));
    }

    [Fact]
    public void Stop_strings_of_the_models_own_configuration_do_not_cut_choices()
    {
        using (CausalLanguageModel model = Generators.Model())
        {
            model.GenerationConfig = new GenerationConfig { StopStrings = ["b", "y"], MaxNewTokens = 9 };
            model.Save(_folder);
        }

        IDataView rows = Generators.View(_ml, 8);
        using TextGenerationTransformer transformer = _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder, Choices = ["abc", "xyz"] }).Fit(rows);
        Assert.All(transformer.Transform(rows).GetColumn<uint>("Answer"), key => Assert.InRange(key, 1u, 2u));
    }

    [Fact]
    public void The_output_may_take_the_name_of_the_input_and_a_prompt_may_come_from_columns()
    {
        IDataView rows = Generators.View(_ml, 5);
        var pipeline = _ml.Transforms.Text.FormatPrompt("Prompt", "Say {Id}: {Text}").Append(_ml.Transforms.Text.GenerateText("Prompt", null, new() { Model = _folder }));
        EstimatorContract.Check(_ml, pipeline, rows);
    }

    [Fact]
    public void A_prediction_engine_gives_what_the_column_holds()
    {
        IDataView rows = Generators.View(_ml, 8);
        using TextGenerationTransformer transformer = _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder }).Fit(rows);
        string[] column = [.. transformer.Transform(rows).GetColumn<string>("Answer")];
        using PredictionEngine<Generators.Row, Prediction> engine = _ml.Model.CreatePredictionEngine<Generators.Row, Prediction>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.Equal(column, Generators.Rows(8).Select(row => engine.Predict(row).Answer));
    }

    [Fact]
    public void What_is_wrong_is_said_before_weights_are_read()
    {
        Assert.Contains("Model", Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.GenerateText("Answer", "Text", new())).ParamName);
        Assert.Contains("nowhere", Assert.Throws<FileNotFoundException>(() => _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = Path.Combine(_folder, "nowhere") })).Message);
        Assert.Contains($"{Generators.Context} tokens", Assert.Throws<ArgumentOutOfRangeException>(
            () => _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder, Generation = new() { MaxNewTokens = Generators.Context } })).Message);
    }

    [Fact]
    public void A_model_without_a_language_modeling_head_is_refused()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), File.ReadAllText(Path.Combine(_folder, "config.json")).Replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
        Assert.Contains("no language modeling head", Assert.Throws<FormatException>(() => _ml.Transforms.Text.GenerateText("Answer", "Text", new() { Model = _folder }).Fit(Generators.View(_ml, 2))).Message);
    }

    private sealed class Prediction
    {
        public string Answer { get; set; } = "";
    }
}
