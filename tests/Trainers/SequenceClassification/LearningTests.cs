using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class LearningTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    [Theory]
    [InlineData(Precision.Float32, WeightUpdate.MasterWeights)]
    [InlineData(Precision.BFloat16, WeightUpdate.MasterWeights)]
    [InlineData(Precision.BFloat16, WeightUpdate.StochasticRounding)]
    public void It_learns_and_the_seed_decides_every_bit(Precision precision, WeightUpdate update)
    {
        IDataView training = Tickets.View(_ml, 64), test = Tickets.View(_ml, 100);
        float[][] Run(int seed) => new MLContext().TrainAndScore(folder.Options(options =>
        {
            (options.Precision, options.WeightUpdate, options.Seed, options.Epochs, options.LearningRate) = (precision, update, seed, 5, 1e-2);
        }), training, test);

        float[][] scores = Run(1);
        Assert.InRange(Runs.Accuracy(scores, test), 0.75, 1);
        Assert.Equal(scores, Run(1));
        Assert.NotEqual(scores, Run(2));
    }

    [Fact]
    public void The_precision_is_that_of_the_trained_model()
    {
        foreach (Precision precision in Enum.GetValues<Precision>())
        {
            using SequenceClassificationTransformer transformer = _ml.Trainer(folder.Options(options => (options.Precision, options.Epochs) = (precision, 1))).Fit(Tickets.View(_ml, 16));
            Assert.Equal(precision == Precision.BFloat16 ? TorchSharp.torch.ScalarType.BFloat16 : TorchSharp.torch.ScalarType.Float32, transformer.Model.DType);
            Assert.Equal(["queue A", "queue B", "queue C"], transformer.LabelNames);
            Assert.False(transformer.Model.training);
            Assert.All(transformer.Model.parameters(), parameter => Assert.Null(parameter.grad));
        }
    }

    [Fact]
    public void Splitting_a_batch_by_its_tokens_changes_next_to_nothing()
    {
        IDataView training = Tickets.View(_ml, 64);
        float[][] Run(int maxTokens) => _ml.TrainAndScore(folder.Options(options => (options.MaxTokensPerBatch, options.LearningRate) = (maxTokens, 1e-3)), training, training);
        float[][] whole = Run(4096), split = Run(100), alone = Run(1);
        for (int row = 0; row < whole.Length; row++)
            for (int label = 0; label < Tickets.Labels; label++)
            {
                Assert.Equal(whole[row][label], split[row][label], 2e-3f);
                Assert.Equal(whole[row][label], alone[row][label], 2e-3f);
            }
    }

    [Fact]
    public void Data_larger_than_the_pool_is_streamed_and_learnt()
    {
        IDataView training = Tickets.View(_ml, 96);
        float[][] scores = _ml.TrainAndScore(folder.Options(options => (options.ShufflePoolSize, options.Epochs, options.LearningRate) = (24, 4, 1e-2)), training, training);
        Assert.InRange(Runs.Accuracy(scores, training), 0.75, 1);
    }

    [Fact]
    public void Dropout_follows_the_seed_and_leaves_the_random_generator_as_it_was()
    {
        string dropping = folder.Copy();
        try
        {
            string config = Path.Combine(dropping, "config.json");
            File.WriteAllText(config, File.ReadAllText(config).Replace("\"attention_dropout\": 0.0", "\"attention_dropout\": 0.5"));
            Assert.Equal(0.5, DecoderConfig.Load(dropping).AttentionDropout);
            IDataView data = Tickets.View(_ml, 32);
            float[][] Run(string model) => _ml.TrainAndScore(folder.Options(options => options.Model = model), data, data);
            TorchSharp.torch.random.manual_seed(1);
            float[][] first = Run(dropping);
            TorchSharp.torch.random.manual_seed(2);
            float[] expected = Draw();
            TorchSharp.torch.random.manual_seed(2);
            Assert.Equal(first, Run(dropping));
            Assert.Equal(expected, Draw());
            Assert.NotEqual(first, Run(folder.Path));
        }
        finally
        {
            Directory.Delete(dropping, recursive: true);
        }

        static float[] Draw()
        {
            using TorchSharp.torch.Tensor numbers = TorchSharp.torch.rand(4);
            return numbers.data<float>().ToArray();
        }
    }

    [Fact]
    public void A_classifier_of_the_same_labels_goes_on_from_its_head()
    {
        string saved = Directory.CreateTempSubdirectory("mlcomponents-model-").FullName;
        try
        {
            IDataView data = Tickets.View(_ml, 96);
            using SequenceClassificationTransformer first = _ml.Trainer(folder.Options(options => (options.Epochs, options.LearningRate) = (4, 1e-2))).Fit(data);
            TinyFolder.Write(saved, first.Model);
            var recorder = new ProgressRecorder();
            using SequenceClassificationTransformer second = _ml.Trainer(folder.Options(options => (options.Model, options.Progress, options.Epochs, options.LearningRate) = (saved, recorder, 1, 1e-5))).Fit(data);
            Assert.InRange(recorder.All[0].Loss, 0, 0.8 * Math.Log(Tickets.Labels));
        }
        finally
        {
            Directory.Delete(saved, recursive: true);
        }
    }

    [Fact]
    public void A_second_run_leaves_no_tensor_behind()
    {
        IDataView data = Tickets.View(_ml, 40);
        void Run(Action<SequenceClassificationOptions> change) => _ml.Trainer(folder.Options(change)).Fit(data).Dispose();
        Action[] runs =
        [
            () => Run(options => options.Precision = Precision.Float32),
            () => Run(options => (options.Precision, options.ClassWeights) = (Precision.BFloat16, new Dictionary<string, double> { ["queue A"] = 2 })),
            () => Run(options => (options.Precision, options.WeightUpdate) = (Precision.BFloat16, WeightUpdate.StochasticRounding)),
            () => Run(options => (options.ValidationFraction, options.EarlyStoppingPatience) = (0.3, 1)),
            () => Assert.Throws<NotFiniteNumberException>(() => Run(options => (options.LearningRate, options.Epochs) = (1e10, 6))),
            () => Assert.Throws<OperationCanceledException>(() => Run(options => options.CancellationToken = new CancellationToken(canceled: true))),
            () =>
            {
                using var source = new CancellationTokenSource();
                var recorder = new ProgressRecorder(_ => source.Cancel());
                ((IDisposable)Assert.Throws<TrainingCanceledException>(() => Run(options => (options.Progress, options.CancellationToken) = (recorder, source.Token))).Model).Dispose();
            },
        ];
        // TorchSharp counts the tensor that a parameter is made of once more when the parameter takes it over.
        long ofModel = Left(() => SequenceClassificationModel.Load(folder.Path).Dispose());
        Assert.All(runs, run => Assert.Equal(run == runs[5] ? 0 : ofModel, Left(run)));

        static long Left(Action run)
        {
            run();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            long before = TorchSharp.torch.Tensor.TotalCount;
            run();
            return TorchSharp.torch.Tensor.TotalCount - before;
        }
    }
}
