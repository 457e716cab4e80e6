using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>What becomes of adapters in model files and folders.</summary>
public sealed class AdapterSavingTests(TinyFolder folder) : IClassFixture<TinyFolder>, IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _work = Directory.CreateTempSubdirectory("mlcomponents-adapters-").FullName;

    private IDataView Data => Tickets.View(_ml, 48);

    [Theory]
    [InlineData(false, LoraBias.None, Precision.Float32)]
    [InlineData(true, LoraBias.None, Precision.BFloat16)]
    [InlineData(false, LoraBias.LoraOnly, Precision.Float32)]
    [InlineData(false, LoraBias.All, Precision.BFloat16)]
    public void A_model_file_holds_the_adapter(bool dora, LoraBias bias, Precision precision)
    {
        using SequenceClassificationTransformer trained = Train(options => (options.Adapter, options.Precision) = (new LoraOptions { UseDora = dora, Bias = bias }, precision));
        using var loaded = (SequenceClassificationTransformer)EstimatorContract.Reload(new MLContext(), trained, Data.Schema);
        Assert.Equal(Runs.Scores(trained, Data), Runs.Scores(loaded, Data));
        Assert.Equal(trained.Model.Adapters.Single().ParameterCount, loaded.Model.Adapters.Single().ParameterCount);
        Assert.Equal(precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, loaded.Model.DType);
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void A_model_file_can_hold_the_adapter_alone(Precision precision)
    {
        string model = folder.Copy();
        try
        {
            void Adapted(SequenceClassificationOptions options) => (options.Model, options.Adapter, options.Precision) = (model, new LoraOptions { Rank = 2 }, precision);
            using SequenceClassificationTransformer whole = Train(Adapted), part = Train(options =>
            {
                Adapted(options);
                options.ModelStorage = ModelStorage.AdapterOnly;
            });
            string small = Save(part, "part.zip"), large = Save(whole, "whole.zip");
            Assert.True(new FileInfo(small).Length < new FileInfo(large).Length - 5000, "the base model is not in the file");
            Assert.Equal(Runs.Scores(whole, Data), Scores(small));

            // Saved once more, it is the same again.
            using (var again = (SequenceClassificationTransformer)_ml.Model.Load(small, out _)) Assert.Equal(Runs.Scores(whole, Data), Scores(Save(again, "again.zip")));

            string moved = Path.Combine(_work, "shelf", Path.GetFileName(model));
            Directory.CreateDirectory(Path.GetDirectoryName(moved)!);
            Directory.Move(model, moved);
            var missing = Refused<DirectoryNotFoundException>(small);
            Assert.Contains(model, missing.Message);
            Assert.Contains("MLCOMPONENTS_BASE_MODELS", missing.Message);
            Environment.SetEnvironmentVariable("MLCOMPONENTS_BASE_MODELS", Path.GetDirectoryName(moved));
            Assert.Equal(Runs.Scores(whole, Data), Scores(small));
            Environment.SetEnvironmentVariable("MLCOMPONENTS_BASE_MODELS", null);
            Directory.Move(moved, model);

            using (SequenceClassificationModel other = SequenceClassificationModel.Load(model))
            {
                using (no_grad()) other.parameters().First().mul_(2);
                other.Save(model);
            }

            var different = Refused<InvalidOperationException>(small);
            Assert.Contains("fingerprint", different.Message);
            Assert.Contains(model, different.Message);
        }
        finally
        {
            Environment.SetEnvironmentVariable("MLCOMPONENTS_BASE_MODELS", null);
            if (Directory.Exists(model)) Directory.Delete(model, recursive: true);
        }
    }

    [Fact]
    public void A_folder_holds_the_whole_model_or_the_adapter_alone()
    {
        using SequenceClassificationTransformer plain = Train(_ => { }), adapted = Train(options => options.Adapter = new LoraOptions { Rank = 4, Alpha = 16 });
        float[] before = Logits(adapted.Model);
        plain.SavePretrained(Path.Combine(_work, "plain"));
        adapted.SavePretrained(Path.Combine(_work, "merged"));
        adapted.SavePretrained(Path.Combine(_work, "adapter"), adapterOnly: true);
        Assert.Equal(before, Logits(adapted.Model));
        Assert.Single(adapted.Model.Adapters);

        using SequenceClassificationModel whole = SequenceClassificationModel.Load(Path.Combine(_work, "plain"));
        Assert.Equal(Logits(plain.Model), Logits(whole));
        Assert.Equal(["queue A", "queue B", "queue C"], whole.Config.LabelNames);
        using SequenceClassificationModel merged = SequenceClassificationModel.Load(Path.Combine(_work, "merged"));
        Assert.Empty(merged.Adapters);
        Close(before, Logits(merged));

        Assert.Equal(["adapter_config.json", "adapter_model.safetensors"], Directory.GetFiles(Path.Combine(_work, "adapter"), "adapter*").Select(Path.GetFileName).Order());
        Assert.False(File.Exists(Path.Combine(_work, "adapter", "model.safetensors")));
        Assert.Equal(folder.Path, LoraOptions.Load(Path.Combine(_work, "adapter")).BaseModel);
        using SequenceClassificationModel parts = SequenceClassificationModel.Load(folder.Path, labelCount: 3);
        parts.Adapters.Load(Path.Combine(_work, "adapter"));
        Assert.Equal(before, Logits(parts));
        foreach (string name in (string[])["plain", "merged", "adapter"])
            Assert.All(plain.Tokenizer.Files.Keys, file => Assert.True(File.Exists(Path.Combine(_work, name, file)), $"{name} has no {file}"));
        Assert.Contains("has 0 adapters", Assert.Throws<InvalidOperationException>(() => plain.SavePretrained(_work, adapterOnly: true)).Message);
    }

    [Fact]
    public void An_adapter_alone_needs_an_adapter()
    {
        var error = Assert.Throws<ArgumentException>(() => _ml.Trainer(folder.Options(options => options.ModelStorage = ModelStorage.AdapterOnly)));
        Assert.Contains("ModelStorage AdapterOnly needs an Adapter", error.Message);
    }

    public void Dispose() => Directory.Delete(_work, recursive: true);

    private static void Close(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-4f);
    }

    private static float[] Logits(SequenceClassificationModel model)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return model.ForwardPooled(tensor(new long[] { 97, 98, 99, 97, 98, 99 }, [2, 3]), tensor(new long[] { 2, 1 })).data<float>().ToArray();
    }

    private SequenceClassificationTransformer Train(Action<SequenceClassificationOptions> change) => _ml.Trainer(folder.Options(options =>
    {
        options.LearningRate = 1e-2;
        change(options);
    })).Fit(Data);

    private string Save(ITransformer model, string name)
    {
        string path = Path.Combine(_work, name);
        _ml.Model.Save(model, Data.Schema, path);
        return path;
    }

    /// <summary>What loading fails with, inside of what ML.NET wraps around it.</summary>
    private T Refused<T>(string path)
        where T : Exception => Assert.IsType<T>(Assert.ThrowsAny<Exception>(() => Scores(path)).GetBaseException());

    private float[][] Scores(string path)
    {
        using var loaded = (SequenceClassificationTransformer)new MLContext().Model.Load(path, out _);
        return Runs.Scores(loaded, Data);
    }
}
