using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>Runs that are interrupted and go on from a checkpoint.</summary>
public sealed class ResumeTests(TinyFolder folder) : IClassFixture<TinyFolder>, IDisposable
{
    private static readonly Dictionary<string, Action<SequenceClassificationOptions>> s_runs = new()
    {
        ["float32"] = options => options.Precision = Precision.Float32,
        ["master weights"] = options => options.WeightUpdate = WeightUpdate.MasterWeights,
        ["stochastic rounding"] = options => options.WeightUpdate = WeightUpdate.StochasticRounding,
        ["8-bit AdamW"] = options => options.Optimizer = OptimizerKind.AdamW8Bit,
        ["Adafactor"] = options => options.Optimizer = OptimizerKind.Adafactor,
        ["SGD"] = options => (options.Optimizer, options.Momentum) = (OptimizerKind.StochasticGradientDescent, 0.9),
        ["Lion"] = options => options.Optimizer = OptimizerKind.Lion,
        ["an adapter with dropout"] = options => options.Adapter = new LoraOptions { Dropout = 0.2 },
        ["the head alone"] = options => options.Trained = TrainedWeights.HeadOnly,
        ["frozen layers"] = options => (options.Trained, options.ValidationFraction) = (TrainedWeights.LastLayers(1), 0.2),
        ["frozen layers on the disk"] = options => (options.Trained, options.PrefixCacheBytes, options.PrefixCacheFolder) = (TrainedWeights.LastLayers(1), 500, Path.GetTempPath()),
        ["frozen layers computed anew"] = options => (options.Trained, options.PrefixCacheBytes) = (TrainedWeights.LastLayers(1), 1000),
        ["steps of so many tokens"] = options => options.TokensPerUpdate = 350,
        ["padded texts"] = options => options.Packing = false,
        ["an average"] = options => options.AverageDecay = 0.9,
        ["noise"] = options => options.NoiseAlpha = 10,
        ["a pool smaller than the data"] = options => options.ShufflePoolSize = 20,
        ["checkpoints after epochs"] = options => options.CheckpointSteps = null,
        ["validation"] = options => (options.ValidationFraction, options.ValidationSteps, options.LearningRate, options.Epochs) = (0.3, 2, 5e-2, 6),
    };

    private readonly MLContext _ml = new(seed: 1);
    private readonly string _checkpoints = Directory.CreateTempSubdirectory("mlcomponents-checkpoints-").FullName;

    public static IEnumerable<TheoryDataRow<string>> Kinds() => s_runs.Keys.Select(kind => new TheoryDataRow<string>(kind));

    private string[] Files => [.. Directory.GetFiles(_checkpoints).Select(path => Path.GetFileName(path)!).Order()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_run_that_goes_on_ends_with_the_same_bits(string kind)
    {
        IDataView data = Tickets.View(_ml, 40);
        using SequenceClassificationTransformer whole = _ml.Trainer(Options(s_runs[kind], checkpoints: false)).Fit(data);
        Interrupt(s_runs[kind], data, atStep: 8);
        Assert.NotEmpty(Files);
        var history = new TrainingHistory();
        using SequenceClassificationTransformer resumed = _ml.Trainer(Options(options =>
        {
            s_runs[kind](options);
            options.History = history;
        })).Fit(data);
        Dictionary<string, byte[]> expected = Bits(whole.Model), found = Bits(resumed.Model);
        Assert.All(expected, pair => Assert.True(pair.Value.AsSpan().SequenceEqual(found[pair.Key]), $"{pair.Key} differs"));
        Assert.Empty(Files);
    }

    [Fact]
    public void The_steps_before_are_not_done_again_and_stay_in_the_history()
    {
        IDataView data = Tickets.View(_ml, 40);
        var first = new TrainingHistory();
        Interrupt(options => options.History = first, data, atStep: 8);
        var second = new TrainingHistory();
        var recorder = new ProgressRecorder();
        var log = new LogRecorder(_ml);
        _ml.Trainer(Options(options => (options.History, options.Progress) = (second, recorder))).Fit(data).Dispose();
        Assert.Equal([7, 8, 9], recorder.Steps.Select(step => step.Step));
        Assert.Equal(Enumerable.Range(1, 9).Select(step => (long)step), second.Steps.Select(step => step.Step));
        Assert.Equal(first.Steps.Take(6).Select(step => step.Loss), second.Steps.Take(6).Select(step => step.Loss));
        Assert.True(recorder.All[0].Elapsed > first.Steps[5].Elapsed);
        Assert.Contains(log.Of(Microsoft.ML.Runtime.ChannelMessageKind.Info), message => message.Contains("Going on after step 6 of 9"));
    }

    [Fact]
    public void As_many_checkpoints_as_asked_for_are_kept()
    {
        IDataView data = Tickets.View(_ml, 40);
        Interrupt(options => (options.CheckpointSteps, options.CheckpointsKept) = (1, 3), data, atStep: 8);
        Assert.Equal(["checkpoint-00000006.safetensors", "checkpoint-00000007.safetensors", "checkpoint-00000008.safetensors"], Files);
    }

    [Fact]
    public void A_damaged_checkpoint_is_left_out_with_a_warning()
    {
        IDataView data = Tickets.View(_ml, 40);
        using SequenceClassificationTransformer whole = _ml.Trainer(Options(_ => { }, checkpoints: false)).Fit(data);
        Interrupt(_ => { }, data, atStep: 8);
        string newest = Path.Combine(_checkpoints, Files[^1]);
        File.WriteAllBytes(newest, File.ReadAllBytes(newest)[..^100]);
        var recorder = new ProgressRecorder();
        var log = new LogRecorder(_ml);
        using SequenceClassificationTransformer resumed = _ml.Trainer(Options(options => options.Progress = recorder)).Fit(data);
        Assert.Equal(4, recorder.All[0].Step);
        Assert.Contains(log.Of(Microsoft.ML.Runtime.ChannelMessageKind.Warning), message => message.Contains(newest) && message.Contains("damaged"));
        Assert.Equal(Bits(whole.Model), Bits(resumed.Model));
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused_with_what_differs()
    {
        IDataView data = Tickets.View(_ml, 40);
        Interrupt(_ => { }, data, atStep: 8);
        string[] before = Files;
        void Refused(string expected, IDataView rows, Action<SequenceClassificationOptions> change)
        {
            var error = Assert.Throws<InvalidOperationException>(() => _ml.Trainer(Options(change)).Fit(rows));
            Assert.Contains("is a checkpoint of another run", error.Message);
            Assert.Contains(expected, error.Message);
            Assert.Contains("CheckpointFolder", error.Message);
            Assert.Equal(before, Files);
        }

        Refused("LearningRate differs ('0.005' there, '0.01' here)", data, options => options.LearningRate = 0.01);
        Refused("Optimizer differs ('AdamW' there, 'Lion' here)", data, options => options.Optimizer = OptimizerKind.Lion);
        Refused("Trained differs", data, options => options.Trained = TrainedWeights.HeadOnly);
        Refused("Adapter", data, options => options.Adapter = new());
        Refused("the training rows differs", Tickets.View(_ml, 39), _ => { });
        Refused("ClassWeights differs", data, options => options.ClassWeights = new Dictionary<string, double> { ["queue A"] = 2 });
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_is_refused_before_training()
    {
        string file = Path.Combine(_checkpoints, "file");
        File.WriteAllText(file, "");
        var recorder = new ProgressRecorder();
        Assert.ThrowsAny<IOException>(() => _ml.Trainer(Options(options => (options.CheckpointFolder, options.Progress) = (file, recorder))).Fit(Tickets.View(_ml, 40)));
        Assert.Empty(recorder.All);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_folder_that_cannot_be_written_to_any_more_loses_no_checkpoint_and_stops_nothing(bool isReadOnly)
    {
        Assert.SkipWhen(isReadOnly && (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess), "no folder is read-only to the one who runs this");
        IDataView data = Tickets.View(_ml, 40);
        var log = new LogRecorder(_ml);
        string[] after = [];
        var recorder = new ProgressRecorder(report =>
        {
            if (report.Step == 4) Lock(true, isReadOnly);
            if (report.Step != 9) return;
            Lock(false, isReadOnly);
            after = Files;
        });
        _ml.Trainer(Options(options => options.Progress = recorder)).Fit(data).Dispose();
        Assert.Equal(["checkpoint-00000003.safetensors"], after);
        Assert.Contains(log.Of(Microsoft.ML.Runtime.ChannelMessageKind.Warning), message => message.Contains("after step 6 could not be written; earlier ones are kept"));
    }

    [Fact]
    public void What_a_killed_process_left_is_removed()
    {
        string left = Path.Combine(_checkpoints, $".checkpoint-00000003.safetensors.{Guid.NewGuid():N}.tmp"), other = Path.Combine(_checkpoints, "notes.txt");
        File.WriteAllText(left, "half");
        File.WriteAllText(other, "mine");
        _ml.Trainer(Options(_ => { })).Fit(Tickets.View(_ml, 40)).Dispose();
        Assert.Equal(["notes.txt"], Files);
    }

    public void Dispose() => Directory.Delete(_checkpoints, recursive: true);

    private static Dictionary<string, byte[]> Bits(SequenceClassificationModel model) => model.named_parameters().ToDictionary(pair => pair.name, pair =>
    {
        using Tensor exact = pair.parameter.detach().to(ScalarType.Float32);
        return exact.bytes.ToArray();
    });

    /// <summary>Makes the folder read-only, or takes it away, or brings it back.</summary>
    private void Lock(bool isLocked, bool isReadOnly)
    {
        const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserExecute;
        if (!isReadOnly) Directory.Move(isLocked ? _checkpoints : $"{_checkpoints}.away", isLocked ? $"{_checkpoints}.away" : _checkpoints);
        else if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_checkpoints, isLocked ? Readable : Readable | UnixFileMode.UserWrite);
    }

    /// <summary>Three epochs of three steps, checkpoints after every third step.</summary>
    private SequenceClassificationOptions Options(Action<SequenceClassificationOptions> change, bool checkpoints = true) => folder.Options(options =>
    {
        (options.Epochs, options.Precision, options.CheckpointFolder, options.CheckpointSteps) = (3, Precision.BFloat16, _checkpoints, 3);
        change(options);
        if (!checkpoints) (options.CheckpointFolder, options.CheckpointSteps) = (null, null);
    });

    private void Interrupt(Action<SequenceClassificationOptions> change, IDataView data, int atStep)
    {
        using var source = new CancellationTokenSource();
        var recorder = new ProgressRecorder(report =>
        {
            if (report.Step == atStep) source.Cancel();
        });
        var cancelled = Assert.Throws<TrainingCanceledException>(() => _ml.Trainer(Options(options =>
        {
            change(options);
            (options.Progress, options.CancellationToken) = (recorder, source.Token);
        })).Fit(data));
        ((IDisposable)cancelled.Model).Dispose();
    }
}
