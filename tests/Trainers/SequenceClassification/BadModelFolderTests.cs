using System.Text;
using Microsoft.ML;
using MLComponents.Models;

namespace MLComponents.Trainers.Tests;

/// <summary>Model folders that are incomplete or broken: the file, what was found, what was expected.</summary>
public sealed class BadModelFolderTests(TinyFolder good) : IClassFixture<TinyFolder>, IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = good.Copy();

    private string Config => Path.Combine(_folder, "config.json");

    private string Weights => Path.Combine(_folder, "model.safetensors");

    private string Tokenizer => Path.Combine(_folder, "tokenizer.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_without_configuration()
    {
        File.Delete(Config);
        Refused<FileNotFoundException>(_folder, "config.json");
    }

    [Fact]
    public void A_folder_without_weights()
    {
        File.Delete(Weights);
        Refused<FileNotFoundException>(_folder, "holds no weights", "model.safetensors");
    }

    [Fact]
    public void A_folder_without_tokenizer()
    {
        File.Delete(Tokenizer);
        Refused<FileNotFoundException>(_folder, "tokenizer.json");
    }

    [Fact]
    public void A_configuration_that_is_no_json()
    {
        File.WriteAllText(Config, "{\"model_type\": \"qwen2\", ");
        Refused<FormatException>(Config, "JSON");
    }

    [Fact]
    public void A_configuration_with_a_value_of_the_wrong_type()
    {
        Change(Config, "\"hidden_size\": 32", "\"hidden_size\": \"wide\"");
        Refused<FormatException>(Config, "hidden_size is \"wide\"", "expected an integer");
    }

    [Fact]
    public void A_configuration_that_contradicts_itself()
    {
        Change(Config, "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3");
        Refused<FormatException>("num_attention_heads 4 is not divisible by num_key_value_heads 3");
    }

    [Fact]
    public void A_family_that_is_not_supported()
    {
        Change(Config, "\"model_type\": \"qwen2\"", "\"model_type\": \"mamba\"");
        Refused<NotSupportedException>(Config, "model_type is \"mamba\"", "supported are", "qwen2");
    }

    [Fact]
    public void Weights_cut_short()
    {
        byte[] content = File.ReadAllBytes(Weights);
        File.WriteAllBytes(Weights, content[..^100]);
        Refused<FormatException>(Weights);
    }

    [Fact]
    public void Weights_with_a_broken_header()
    {
        byte[] content = File.ReadAllBytes(Weights);
        content[8] = (byte)'!';
        File.WriteAllBytes(Weights, content);
        Refused<FormatException>(Weights);
    }

    [Fact]
    public void Weights_of_another_shape()
    {
        Change(Config, "\"intermediate_size\": 48", "\"intermediate_size\": 64");
        Refused<FormatException>(Weights, "found [48, 32], expected [64, 32]");
    }

    [Fact]
    public void A_tokenizer_that_is_no_json()
    {
        File.WriteAllText(Tokenizer, File.ReadAllText(Tokenizer)[..200]);
        Refused<FormatException>("tokenizer.json");
    }

    [Fact]
    public void A_tokenizer_with_another_kind_of_model()
    {
        Change(Tokenizer, "\"type\":\"BPE\"", "\"type\":\"Oracle\"");
        Refused<NotSupportedException>("tokenizer.json", "Oracle");
    }

    [Fact]
    public void A_vocabulary_smaller_than_the_tokenizers()
    {
        using (SequenceClassificationModel model = TinyModel.Model(3, vocabulary: 250)) model.Save(_folder);
        Refused<FormatException>(_folder, "ids up to 256", "embeddings for 250", "vocab_size");
    }

    private static void Change(string file, string old, string replacement)
    {
        string text = File.ReadAllText(file, Encoding.UTF8);
        Assert.Contains(old, text);
        File.WriteAllText(file, text.Replace(old, replacement));
    }

    private void Refused<TException>(params string[] words)
        where TException : Exception
    {
        var progress = new ProgressRecorder();
        var error = Assert.Throws<TException>(() => _ml.Trainer(good.Options(options => (options.Model, options.Progress) = (_folder, progress))).Fit(Tickets.View(_ml, 12)));
        Assert.All(words, word => Assert.Contains(word, error.Message));
        Assert.Empty(progress.All);
    }
}
