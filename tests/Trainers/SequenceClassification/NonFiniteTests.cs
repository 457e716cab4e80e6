using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>Steps whose loss is not a number, because one letter's embedding is none.</summary>
public sealed class NonFiniteTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("mlcomponents-model-").FullName;

    public NonFiniteTests()
    {
        using SequenceClassificationModel model = TinyModel.Model(3);
        using (no_grad())
        using (Tensor row = model.named_parameters().Single(item => item.name == "model.embed_tokens.weight").parameter['z'])
            row.fill_(double.NaN);
        TinyFolder.Write(_folder, model);
    }

    [Fact]
    public void Steps_that_give_no_numbers_can_be_skipped()
    {
        var log = new LogRecorder(_ml);
        var recorder = new ProgressRecorder();
        using SequenceClassificationTransformer trained = _ml.Trainer(Options(options => (options.NonFiniteHandling, options.Progress) = (NonFiniteHandling.Skip, recorder))).Fit(Data(poisoned: 1));
        Assert.Equal(12, recorder.Steps.Count());
        Assert.Equal(3, recorder.Steps.Count(step => double.IsNaN(step.Loss)));
        Assert.Contains(log.Of(ChannelMessageKind.Warning), message => message.Contains("3 of 12 steps were skipped"));
        Assert.All(Runs.Scores(trained, Data(poisoned: 0)), row => Assert.Equal(1, row.Sum(), 1e-4));
    }

    [Fact]
    public void Too_many_of_them_in_a_row_end_the_run()
    {
        var recorder = new ProgressRecorder();
        var error = Assert.Throws<NotFiniteNumberException>(() => _ml.Trainer(Options(options =>
            (options.NonFiniteHandling, options.Progress, options.Epochs, options.BatchSize) = (NonFiniteHandling.Skip, recorder, 30, 32))).Fit(Data(poisoned: 1)));
        Assert.Contains("step 21 of 30", error.Message);
        Assert.Equal(20, recorder.Steps.Count());
    }

    [Fact]
    public void They_end_the_run_unless_asked_otherwise() => Assert.Throws<NotFiniteNumberException>(() => _ml.Trainer(Options(_ => { })).Fit(Data(poisoned: 1)));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private SequenceClassificationOptions Options(Action<SequenceClassificationOptions> change)
    {
        var options = new SequenceClassificationOptions
        {
            Model = _folder, Precision = Precision.Float32, LearningRate = 5e-3, BatchSize = 8, Epochs = 3, Trained = TrainedWeights.Matching("model.layers.*", "score.*"),
        };
        change(options);
        return options;
    }

    private IDataView Data(int poisoned)
    {
        Tickets.Ticket[] rows = Tickets.Rows(32);
        foreach (Tickets.Ticket row in rows.Take(poisoned)) row.Text = "z";
        return Tickets.Keyed(_ml, _ml.Data.LoadFromEnumerable(rows));
    }
}
