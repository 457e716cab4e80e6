using Microsoft.ML;
using MLComponents.Models;
using TorchSharp;

namespace MLComponents.Trainers.Tests;

/// <summary>Data that nothing can be learnt from is refused before any work starts, by the message's own words.</summary>
public class BadInputTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly ProgressRecorder _progress = new();

    private IDataView Data => Tickets.View(_ml, 24);

    private SequenceClassificationOptions Options(Action<SequenceClassificationOptions>? change = null) => folder.Options(options =>
    {
        options.Progress = _progress;
        change?.Invoke(options);
    });

    [Fact]
    public void A_missing_text_column_is_named_with_those_there_are() =>
        Refused<ArgumentOutOfRangeException>(_ml.Trainer(Options(), text: "Body"), Data, "text column 'Body'", "expected String", "no such column", "'Text'", "'Queue'");

    [Fact]
    public void A_mistyped_text_column_is_named_with_its_type() =>
        Refused<ArgumentOutOfRangeException>(_ml.Trainer(Options(), text: "Vector"), Data, "text column 'Vector'", "expected String", "Vector<Single, 2>");

    [Fact]
    public void A_missing_label_column_is_named() =>
        Refused<ArgumentOutOfRangeException>(_ml.Trainer(Options(), label: "Class"), Data, "label column 'Class'", "expected a key", "MapValueToKey(\"Class\")", "got no such column");

    [Fact]
    public void A_text_instead_of_a_key_is_named_with_the_way_to_make_one() =>
        Refused<ArgumentOutOfRangeException>(_ml.Trainer(Options(), label: "Queue"), Data, "label column 'Queue'", "expected a key", "MapValueToKey(\"Queue\")", "got String");

    [Fact]
    public void A_key_instead_of_a_truth_value_is_named() =>
        Refused<ArgumentOutOfRangeException>(_ml.BinaryClassification.Trainers.SequenceClassification("Label", "Text", Options()), Data, "label column 'Label'", "expected Boolean", "got Key<UInt32, 0-2>");

    [Fact]
    public void A_missing_truth_value_is_named() =>
        Refused<ArgumentOutOfRangeException>(_ml.BinaryClassification.Trainers.SequenceClassification("Late", "Text", Options()), Data, "label column 'Late'", "expected Boolean", "no such column");

    [Fact]
    public void No_rows_are_too_few() =>
        Refused<InvalidOperationException>(_ml.Trainer(Options()), Tickets.View(_ml, 0), "no rows", "'Text'", "'Label'");

    [Fact]
    public void One_label_is_too_few() => Refused<InvalidOperationException>(_ml.Trainer(Options()),
        Tickets.Keyed(_ml, _ml.Data.LoadFromEnumerable(Tickets.Rows(30).Where(row => row.Queue == "queue B"))), "All", "'queue B'", "'Label'", "at least two labels");

    [Fact]
    public void One_truth_value_is_too_few() => Refused<InvalidOperationException>(_ml.BinaryClassification.Trainers.SequenceClassification("Urgent", "Text", Options()),
        _ml.Data.LoadFromEnumerable(Tickets.Rows(30).Where(row => row.Urgent)), "All", "'true'", "'Urgent'", "at least two labels");

    [Fact]
    public void A_row_without_label_is_named()
    {
        Tickets.Ticket[] rows = Tickets.Rows(12);
        rows[7].Queue = "a queue that the keys have not";
        Refused<InvalidOperationException>(_ml.Trainer(Options()), Tickets.Keyed(_ml, _ml.Data.LoadFromEnumerable(rows)), "Row 7 has no label", "'Label'", "3 keys", "filtered out");
    }

    [Fact]
    public void A_key_larger_than_the_count_is_named() =>
        Refused<InvalidOperationException>(_ml.Trainer(Options()), new KeyView(typeof(uint), 3, [1, 2, 4]), "Row 2 has the key 4", "'Label'", "expected one of its 3 keys");

    [Fact]
    public void A_missing_model_folder_is_named() => Refused<DirectoryNotFoundException>(_ml.Trainer(Options(options => options.Model = "no/such/model")), Data,
        "Model is 'no/such/model'", Path.GetFullPath("no/such/model"), "expected a Hugging Face folder", "config.json");

    [Fact]
    public void A_missing_device_is_named()
    {
        Refused<ArgumentException>(_ml.Trainer(Options(options => options.Device = "abacus")), Data, "'abacus' is no device", "'cpu', 'cuda' or 'cuda:N'");
        if (!torch.cuda.is_available()) Refused<InvalidOperationException>(_ml.Trainer(Options(options => options.Device = "cuda:3")), Data, "'cuda:3' is not there", "no CUDA device");
    }

    [Fact]
    public void A_length_beyond_the_context_is_named_with_the_limit() =>
        Refused<ArgumentOutOfRangeException>(_ml.Trainer(Options(options => options.MaxLength = TinyModel.Context + 1)), Data, "MaxLength is 65", "64 tokens", "max_position_embeddings");

    [Fact]
    public void A_validation_set_with_other_labels_is_refused()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable(Tickets.Rows(12));
        IDataView other = _ml.Transforms.Conversion.MapValueToKey("Label", "Queue").Fit(rows).Transform(rows);
        Refused<ArgumentException>(_ml.Trainer(Options(options => options.ValidationSet = other)), Data,
            "validation set's labels in column 'Label' are", "those of the training data 'queue A', 'queue B', 'queue C'", "same fitted key mapping");
    }

    [Fact]
    public void A_validation_set_without_the_columns_is_named_as_such()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable(Tickets.Rows(12));
        Refused<ArgumentOutOfRangeException>(_ml.Trainer(Options(options => options.ValidationSet = rows)), Data, "ValidationSet: ", "label column 'Label'", "no such column");
    }

    [Fact]
    public void An_empty_validation_set_is_refused()
    {
        Refused<InvalidOperationException>(_ml.Trainer(Options(options => options.ValidationSet = Tickets.View(_ml, 0))), Data, "validation set has no rows");
        Refused<InvalidOperationException>(_ml.Trainer(Options(options => options.ValidationFraction = 1e-9)), Data, "ValidationFraction 1E-09 leaves no row");
    }

    [Fact]
    public void Class_weights_must_name_labels()
    {
        Refused<ArgumentException>(_ml.Trainer(Options(options => options.ClassWeights = new Dictionary<string, double> { ["queue D"] = 2 })), Data,
            "ClassWeights names the label 'queue D'", "the labels are 'queue A', 'queue B', 'queue C'");
        Refused<ArgumentException>(_ml.Trainer(Options(options => options.ClassWeights = new Dictionary<string, double> { ["queue A"] = 0, ["queue B"] = 0, ["queue C"] = 0 })), Data,
            "every label that occurs the weight 0");
    }

    [Fact]
    public void Weights_that_are_no_numbers_are_found_at_the_first_step()
    {
        string damaged = folder.Copy();
        try
        {
            using (SequenceClassificationModel model = TinyModel.Model(3))
            {
                using (torch.no_grad()) model.named_parameters().First(pair => pair.name.Contains("layers.1")).parameter.fill_(float.NaN);
                model.Save(damaged);
            }

            Refused<NotFiniteNumberException>(_ml.Trainer(Options(options => options.Model = damaged)), Data, "step 1 of 4", "loss is NaN", "the model's weights are damaged");
        }
        finally
        {
            Directory.Delete(damaged, recursive: true);
        }
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void A_learning_rate_that_is_far_too_large_is_found_and_named(Precision precision)
    {
        var error = Assert.Throws<NotFiniteNumberException>(() => _ml.Trainer(Options(options => (options.LearningRate, options.Precision, options.Epochs) = (1e10, precision, 6))).Fit(Data));
        Assert.Contains("Lower LearningRate (now 10000000000", error.Message);
        Assert.Contains("expected finite numbers", error.Message);
    }

    [Fact]
    public void A_last_step_that_breaks_the_weights_is_found()
    {
        var error = Assert.Throws<NotFiniteNumberException>(() => _ml.Trainer(Options(options => (options.LearningRate, options.WarmupRatio, options.Epochs, options.BatchSize) = (1e38, 0, 1, 24))).Fit(Data));
        Assert.Contains("step 1 of 1", error.Message);
        Assert.Contains("norm of the weights", error.Message);
    }

    private void Refused<TException>(SequenceClassificationEstimator estimator, IDataView data, params string[] words)
        where TException : Exception
    {
        var error = Assert.Throws<TException>(() => estimator.Fit(data));
        Assert.All(words, word => Assert.Contains(word, error.Message));
        Assert.Empty(_progress.All);
    }
}
