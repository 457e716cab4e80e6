using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;
using TorchSharp;

namespace MLComponents.Tests.Transforms;

public class TextClassifierTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Theory]
    [InlineData(torch.ScalarType.Float32)]
    [InlineData(torch.ScalarType.BFloat16)]
    public void A_saved_model_scores_identically_and_keeps_its_element_type(torch.ScalarType dtype)
    {
        using SequenceClassificationTransformer transformer = TinyModel.Multiclass(_ml, dtype);
        IDataView data = Tickets.View(_ml, 60);
        using var loaded = (SequenceClassificationTransformer)EstimatorContract.Reload(new MLContext(), transformer, data.Schema);
        Assert.Equal(dtype, loaded.Model.DType);
        Assert.Equal(transformer.LabelNames, loaded.LabelNames);
        EstimatorContract.CheckValues(transformer.Transform(data), loaded.Transform(data));
    }

    [Fact]
    public void It_is_a_good_transformer()
    {
        IDataView data = Tickets.View(_ml, 12);
        IDataView missing = _ml.Transforms.DropColumns("Text").Fit(data).Transform(data);
        IDataView mistyped = _ml.Transforms.CopyColumns("Text", "Vector").Fit(data).Transform(data);
        using SequenceClassificationTransformer multiclass = TinyModel.Multiclass(_ml), one = TinyModel.Binary(_ml, 1), two = TinyModel.Binary(_ml, 2);
        foreach (ITransformer transformer in new[] { multiclass, one, two }) EstimatorContract.CheckTransformer(_ml, transformer, data, missing, mistyped);
    }

    [Fact]
    public void Batched_scores_equal_those_of_single_rows()
    {
        using SequenceClassificationTransformer transformer = TinyModel.Multiclass(_ml);
        float[][] batched = [.. transformer.Transform(Tickets.View(_ml, 20)).GetColumn<float[]>("Score")];
        using PredictionEngine<Tickets.Ticket, Tickets.Scored> engine =
            _ml.Model.CreatePredictionEngine<Tickets.Ticket, Tickets.Scored>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Tickets.Ticket[] rows = Tickets.Rows(20);
        for (int i = 0; i < rows.Length; i++)
        {
            float[] single = engine.Predict(rows[i]).Score;
            for (int label = 0; label < single.Length; label++) Assert.Equal(single[label], batched[i][label], 1e-5f);
        }
        Assert.True(batched.Select(scores => scores[0]).Distinct().Count() > 10, "the model tells texts apart");
    }

    [Fact]
    public void The_model_file_holds_a_hugging_face_folder()
    {
        using SequenceClassificationTransformer transformer = TinyModel.Multiclass(_ml);
        using var file = new MemoryStream();
        _ml.Model.Save(transformer, Tickets.View(_ml, 1).Schema, file);
        using var zip = new ZipArchive(file);
        string[] names = [.. zip.Entries.Select(entry => entry.Name)];
        foreach (string expected in new[] { "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json" }) Assert.Contains(expected, names);
    }

    [Fact]
    public void A_model_file_from_a_newer_version_is_refused()
    {
        byte[] changed = Rewrite((name, content) =>
        {
            if (!name.EndsWith("Model.key", StringComparison.Ordinal) || content.AsSpan().IndexOf("MLCSEQCL"u8) is not (>= 0 and int at)) return content;
            // After the eight bytes of the signature: the version written, then the oldest reader for it.
            content.AsSpan(at + 8, 8).Fill(0x7f);
            return content;
        });
        Exception error = Assert.ThrowsAny<Exception>(() => _ml.Model.Load(new MemoryStream(changed), out _));
        Assert.Contains("too new", error.ToString());
    }

    [Theory]
    [InlineData("tokenizer-files.txt", "../evil\n")]
    [InlineData("tokenizer.json", "{}")]
    [InlineData("config.json", "{")]
    [InlineData("model.safetensors", "12345678")]
    [InlineData("Settings.bin", "12345678")]
    public void A_damaged_model_file_is_refused(string entry, string content)
    {
        byte[] changed = Rewrite((name, old) => name.EndsWith('/' + entry, StringComparison.Ordinal) || name.EndsWith('\\' + entry, StringComparison.Ordinal) || name == entry
            ? System.Text.Encoding.ASCII.GetBytes(content) : old);
        Exception error = Assert.ThrowsAny<Exception>(() => _ml.Model.Load(new MemoryStream(changed), out _));
        while (error.InnerException is not null && error is not (FormatException or NotSupportedException)) error = error.InnerException;
        Assert.True(error is FormatException or NotSupportedException, error.ToString());
    }

    [Fact]
    public void A_missing_gpu_means_the_cpu_or_an_error_as_the_context_says()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "this machine has a GPU");
        using SequenceClassificationTransformer transformer = TinyModel.Multiclass(_ml);
        DataViewSchema schema = Tickets.View(_ml, 1).Schema;
        var messages = new List<string>();
        var falling = new MLContext { GpuDeviceId = 0, FallbackToCpu = true };
        falling.Log += (_, e) => messages.Add(e.Message);
        (EstimatorContract.Reload(falling, transformer, schema) as IDisposable)!.Dispose();
        Assert.Contains(messages, message => message.Contains("the CPU is used instead"));
        var strict = new MLContext { GpuDeviceId = 0, FallbackToCpu = false };
        Exception error = Assert.ThrowsAny<Exception>(() => EstimatorContract.Reload(strict, transformer, schema));
        Assert.Contains("GpuDeviceId", error.ToString());
    }

    [Fact]
    public void A_device_is_chosen_by_name()
    {
        Assert.Equal(DeviceType.CPU, ScoringDevice.Choose(_ml, "cpu").type);
        Assert.Equal(DeviceType.CPU, ScoringDevice.Choose(_ml, null).type);
        Assert.Throws<ArgumentException>(() => ScoringDevice.Choose(_ml, "tpu"));
        Assert.Throws<ArgumentException>(() => ScoringDevice.Choose(_ml, "cuda:x"));
        Assert.SkipWhen(torch.cuda.is_available(), "this machine has a GPU");
        Assert.Throws<InvalidOperationException>(() => ScoringDevice.Choose(_ml, "cuda:0"));
    }

    [Fact]
    public void A_tokenizer_that_is_larger_than_the_model_is_refused()
    {
        var model = TinyModel.Model(3, vocabulary: 200);
        FormatException error = Assert.Throws<FormatException>(() => new TextClassifier(model, TinyModel.Tokenizer(), null, TruncationSide.End));
        Assert.Contains("256", error.Message);
        Assert.Contains("200", error.Message);
        Assert.Contains("context", Assert.Throws<ArgumentOutOfRangeException>(() => new TextClassifier(TinyModel.Model(3), TinyModel.Tokenizer(), TinyModel.Context + 1, TruncationSide.End)).Message);
    }

    [Fact]
    public void A_text_longer_than_the_context_is_cut_counted_and_scored()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        using SequenceClassificationTransformer transformer = TinyModel.Multiclass(_ml);
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new { Text = new string('a', 1000) }, new { Text = "" }, new { Text = "b" } });
        float[][] scores = [.. transformer.Transform(data).GetColumn<float[]>("Score")];
        Assert.All(scores, row => Assert.Equal(1, row.Sum(), 1e-5f));
        Assert.Contains(messages, message => message.Contains($"1 of 3 texts of column 'Text' had more than {TinyModel.Context} tokens"));
    }

    [Fact]
    public void Scoring_leaves_no_tensors_behind()
    {
        using SequenceClassificationTransformer transformer = TinyModel.Multiclass(_ml);
        IDataView view = transformer.Transform(Tickets.View(_ml, 30));
        _ = view.GetColumn<float>("Probability").Count();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        _ = view.GetColumn<float>("Probability").Count();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_whole_pipeline_is_one_file()
    {
        IDataView data = Tickets.View(_ml, 30);
        ITransformer prompt = _ml.Transforms.Text.FormatPrompt("Prompt", "Classify: {Text}").Fit(data);
        var settings = new SequenceClassificationSettings { TextColumnName = "Prompt", BatchSize = 4, LookAhead = 16 };
        SequenceClassificationTransformer classifier = TinyModel.Multiclass(_ml, settings: settings);
        IDataView scored = classifier.Transform(prompt.Transform(data));
        ITransformer names = _ml.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel").Fit(scored);
        using var chain = new TransformerChain<ITransformer>(prompt, classifier, names);
        EstimatorContract.CheckTransformer(_ml, chain, data);
    }

    private byte[] Rewrite(Func<string, byte[], byte[]> change)
    {
        using SequenceClassificationTransformer transformer = TinyModel.Multiclass(_ml);
        using var file = new MemoryStream();
        _ml.Model.Save(transformer, Tickets.View(_ml, 1).Schema, file);
        using var changed = new MemoryStream();
        int changes = 0;
        using (var source = new ZipArchive(new MemoryStream(file.ToArray())))
        using (var target = new ZipArchive(changed, ZipArchiveMode.Create, leaveOpen: true))
            foreach (ZipArchiveEntry entry in source.Entries)
            {
                using var content = new MemoryStream();
                using (Stream stream = entry.Open()) stream.CopyTo(content);
                byte[] old = content.ToArray(), replaced = change(entry.FullName, content.ToArray());
                if (!old.SequenceEqual(replaced)) changes++;
                using Stream output = target.CreateEntry(entry.FullName).Open();
                output.Write(replaced);
            }
        Assert.Equal(1, changes);
        return changed.ToArray();
    }
}
