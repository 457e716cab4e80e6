using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>The engine's checkpoints serve every head.</summary>
public sealed class OtherHeadsTests(TinyFolder folder) : IClassFixture<TinyFolder>, IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _checkpoints = Directory.CreateTempSubdirectory("mlcomponents-checkpoints-").FullName;

    private sealed class Sentence
    {
        public string[] Text { get; set; } = [];

        public string[] Label { get; set; } = [];
    }

    [Fact]
    public void A_run_that_tags_words_goes_on_to_the_same_bits_unless_a_tag_has_changed()
    {
        IDataView data = Sentences(changed: false);
        using TokenClassificationTransformer whole = Trainer(null, null, null).Fit(data);
        using var source = new CancellationTokenSource();
        var recorder = new ProgressRecorder(report =>
        {
            if (report.Step == 5) source.Cancel();
        });
        ((IDisposable)Assert.Throws<TrainingCanceledException>(() => Trainer(_checkpoints, source, recorder).Fit(data)).Model).Dispose();

        var refused = Assert.Throws<InvalidOperationException>(() => Trainer(_checkpoints, null, null).Fit(Sentences(changed: true)));
        Assert.Contains("the training rows differs", refused.Message);
        var rest = new ProgressRecorder();
        using TokenClassificationTransformer resumed = Trainer(_checkpoints, null, rest).Fit(data);
        Assert.Equal(5, rest.All[0].Step);
        Assert.Equal(Bits(whole.Model), Bits(resumed.Model));
    }

    public void Dispose() => Directory.Delete(_checkpoints, recursive: true);

    private static byte[][] Bits(TokenClassificationModel model) => [.. model.parameters().Select(parameter =>
    {
        using Tensor exact = parameter.detach().to(ScalarType.Float32);
        return exact.bytes.ToArray();
    })];

    private IDataView Sentences(bool changed) => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 16).Select(row => new Sentence
    {
        Text = ["in", row % 2 == 0 ? "Rome" : "Bern", "now"],
        Label = ["O", row == 3 && changed ? "O" : "B-LOC", "O"],
    }));

    private TokenClassificationEstimator Trainer(string? checkpoints, CancellationTokenSource? source, IProgress<TrainingProgress>? progress) =>
        _ml.MulticlassClassification.Trainers.TokenClassification("Label", "Text", new TokenClassificationOptions
        {
            Model = folder.Path,
            Precision = Precision.Float32,
            LearningRate = 5e-3,
            BatchSize = 4,
            Epochs = 2,
            NoiseAlpha = 2,
            CheckpointFolder = checkpoints,
            CheckpointSteps = checkpoints is null ? null : 2,
            CancellationToken = source?.Token ?? CancellationToken.None,
            Progress = progress,
        });
}
