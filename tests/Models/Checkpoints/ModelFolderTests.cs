using System.Text;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class ModelFolderTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData(""", "tie_word_embeddings": true""", null)]
    [InlineData(""", "head_dim": 6, "use_sliding_window": true, "sliding_window": 4, "max_window_layers": 1""", ScalarType.BFloat16)]
    public void A_saved_model_comes_back_bit_for_bit(string more, ScalarType? dtype)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(more), seed: 3, dtype);
        model.eval();

        model.Save(folder.Path);
        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);

        Assert.True(loaded.Report!.IsExact, loaded.Report.ToString());
        Assert.Equal(model.Config, loaded.Config);
        ModelSamples.AssertSameWeights(model, loaded);
        Tensor ids = randint(3, 60, [2, 9]);
        Assert.True(model.forward(ids).equal(loaded.forward(ids)).all().item<bool>());
        Assert.True(File.Exists(folder["generation_config.json"]));
    }

    [Fact]
    public void A_model_comes_back_from_configuration_bytes_and_a_weight_stream()
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(""", "id2label": {"0": "a", "1": "b", "2": "c"}"""), seed: 4);
        using var weights = new MemoryStream();
        model.SaveWeights(weights);
        weights.Position = 0;

        using SequenceClassificationModel loaded = SequenceClassificationModel.Load(model.Config.ToJson(model.Head), weights);

        Assert.Equal(["a", "b", "c"], loaded.Config.LabelNames);
        ModelSamples.AssertSameWeights(model, loaded);
    }

    [Fact]
    public void A_decoder_without_head_gets_a_fresh_one_which_is_reported_and_the_same_for_the_same_seed()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 6);
        SaveWith(model, folder, name => name.StartsWith("model.", StringComparison.Ordinal) ? name["model.".Length..] : null);

        using SequenceClassificationModel first = SequenceClassificationModel.Load(folder.Path, labelCount: 5, seed: 1);
        using SequenceClassificationModel second = SequenceClassificationModel.Load(folder.Path, labelCount: 5, seed: 1);
        using SequenceClassificationModel other = SequenceClassificationModel.Load(folder.Path, labelCount: 5, seed: 2);
        using CausalLanguageModel headless = CausalLanguageModel.Load(folder.Path);

        Assert.Equal(["score.weight"], first.Report!.Fresh);
        Assert.Equal(["lm_head.weight"], headless.Report!.Fresh);
        Assert.Empty(first.Report.Unexpected);
        Assert.Equal([5L, 24L], first.get_parameter("score.weight")!.shape);
        Assert.True(first.get_parameter("score.weight")!.equal(second.get_parameter("score.weight")!).all().item<bool>());
        Assert.False(first.get_parameter("score.weight")!.equal(other.get_parameter("score.weight")!).all().item<bool>());
        string query = "model.layers.2.self_attn.q_proj.weight";
        Assert.True(first.get_parameter(query)!.equal(model.get_parameter(query)!).all().item<bool>());
    }

    [Fact]
    public void A_model_with_another_head_gives_its_decoder_and_its_head_is_ignored()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 7);
        model.Save(folder.Path);

        using SequenceClassificationModel classifier = SequenceClassificationModel.Load(folder.Path, labelCount: 3);
        using QuestionAnsweringModel answers = QuestionAnsweringModel.Load(folder.Path);

        Assert.Equal(["lm_head.weight"], classifier.Report!.Ignored);
        Assert.Equal(["qa_outputs.weight", "qa_outputs.bias"], answers.Report!.Fresh);
        Assert.Empty(answers.Report.Unexpected);
    }

    [Fact]
    public void Another_number_of_labels_makes_the_head_fresh()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new SequenceClassificationModel(ModelSamples.Config(""", "num_labels": 3"""), seed: 8);
        model.Save(folder.Path);

        using SequenceClassificationModel same = SequenceClassificationModel.Load(folder.Path, labelCount: 3);
        using SequenceClassificationModel more = SequenceClassificationModel.Load(folder.Path, labelCount: 7);

        Assert.True(same.Report!.IsExact);
        Assert.Equal(["score.weight"], more.Report!.Fresh);
        Assert.Equal(7, more.Config.LabelCount);
    }

    [Fact]
    public void All_missing_unexpected_and_misshapen_tensors_stand_in_one_error()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        model.Save(folder.Path);
        Dictionary<string, Tensor> weights = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        weights["model.norm.weight"] = zeros(25);
        weights["model.layers.1.mlp.up_projection.weight"] = weights["model.layers.1.mlp.up_proj.weight"];
        weights.Remove("model.layers.1.mlp.up_proj.weight");
        weights.Remove("model.layers.0.self_attn.k_proj.bias");
        SafetensorsWriter.Write(folder[ModelFolder.WeightsName], weights);

        var exception = Assert.Throws<FormatException>(() => CausalLanguageModel.Load(folder.Path));

        Assert.Contains(folder.Path, exception.Message);
        Assert.Contains("2 missing: model.layers.0.self_attn.k_proj.bias, model.layers.1.mlp.up_proj.weight", exception.Message);
        Assert.Contains("model.norm.weight: found [25], expected [24]", exception.Message);
        Assert.Contains("1 unexpected: model.layers.1.mlp.up_projection.weight", exception.Message);
    }

    [Fact]
    public void An_unexpected_tensor_is_reported_and_an_old_buffer_ignored()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        model.Save(folder.Path);
        Dictionary<string, Tensor> weights = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        weights["model.layers.0.self_attn.extra.weight"] = zeros(2);
        weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = zeros(2);
        SafetensorsWriter.Write(folder[ModelFolder.WeightsName], weights);

        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);

        Assert.Equal(["model.layers.0.self_attn.extra.weight"], loaded.Report!.Unexpected);
        Assert.Equal(["model.layers.0.self_attn.rotary_emb.inv_freq"], loaded.Report.Ignored);
        ModelSamples.AssertSameWeights(model, loaded);
    }

    [Theory]
    [InlineData(ScalarType.Int8, "I8")]
    [InlineData(ScalarType.Byte, "U8")]
    [InlineData(ScalarType.Int32, "I32")]
    public void Weights_that_are_stored_as_integers_are_refused_by_name(ScalarType type, string name)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        SaveWith(model, folder, ("model.layers.1.mlp.up_proj.weight", zeros(40, 24, dtype: type)));

        var exception = Assert.Throws<NotSupportedException>(() => CausalLanguageModel.Load(folder.Path));

        Assert.Contains($"'model.layers.1.mlp.up_proj.weight' is stored as {name}; expected F16, BF16, F32 or F64", exception.Message);
        Assert.Contains("uantized weights are not supported", exception.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("model.")]
    public void A_tensor_without_a_name_is_unexpected(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        SaveWith(model, folder, (name, zeros(2)));

        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);

        Assert.Equal([name], loaded.Report!.Unexpected);
    }

    [Theory]
    [InlineData("\"vocab_size\": 60", "\"vocab_size\": 16777216", "embed_tokens.weight: found [60, 24], expected [16777216, 24]")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4096", "num_hidden_layers is 4096, but tensors of 3 layers")]
    [InlineData("\"intermediate_size\": 40", "\"intermediate_size\": 16777216", "up_proj.weight: found [40, 24], expected [16777216, 24]")]
    [InlineData("\"pad_token_id\": 0", "\"head_dim\": 2000000", "q_proj.weight: found [24, 24], expected [12000000, 24]")]
    public void Sizes_that_the_checkpoint_cannot_fill_are_refused_before_memory_is_asked_for(string found, string replaced, string inMessage)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 9);
        model.Save(folder.Path);
        DecoderConfig config = DecoderConfig.Parse(Encoding.UTF8.GetBytes(ModelSamples.Json().Replace(found, replaced)));

        using FileStream weights = File.OpenRead(folder[ModelFolder.WeightsName]);
        var exception = Assert.Throws<FormatException>(() => CausalLanguageModel.Load(config.ToJson(), weights));

        Assert.Contains(inMessage, exception.Message);
    }

    [Theory]
    [InlineData("../secret.safetensors")]
    [InlineData("/etc/secret.safetensors")]
    [InlineData("sub/model.safetensors")]
    [InlineData("..\\\\secret.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    public void An_index_cannot_lead_out_of_its_folder(string name)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[ModelFolder.ConfigName], ModelSamples.Json());
        File.WriteAllText(folder[ModelFolder.IndexName], $$"""{"weight_map": {"model.norm.weight": "{{name}}" } }""");

        var exception = Assert.Throws<FormatException>(() => CausalLanguageModel.Load(folder.Path));

        Assert.Contains("without a folder", exception.Message);
    }

    [Fact]
    public void An_index_that_disagrees_with_its_files_is_refused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[ModelFolder.ConfigName], ModelSamples.Json());
        SafetensorsWriter.Write(folder["a.safetensors"], [new("x", zeros(1))]);

        Refused("""{"weight_map": {"x": "b.safetensors"}}""", typeof(FileNotFoundException), "b.safetensors");
        Refused("""{"weight_map": {"x": "a.safetensors", "y": "a.safetensors"}}""", typeof(FormatException), "holds y");
        Refused("""{"weight_map": {}}""", typeof(FormatException), "missing");
        Refused("""{"weight_map": {"x": 3}}""", typeof(FormatException), "'x'");
        Refused("""{"weight_map": []}""", typeof(FormatException), "weight_map");
        Refused("""{"weight""", typeof(FormatException), "not valid JSON");

        void Refused(string index, Type type, string inMessage)
        {
            File.WriteAllText(folder[ModelFolder.IndexName], index);
            Exception? exception = Record.Exception(() => CausalLanguageModel.Load(folder.Path));
            Assert.IsType(type, exception);
            Assert.Contains(inMessage, exception.Message);
        }
    }

    [Fact]
    public void A_folder_without_what_is_needed_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();

        Assert.Throws<DirectoryNotFoundException>(() => CausalLanguageModel.Load(folder["nowhere"]));
        Assert.Contains("config.json", Assert.Throws<FileNotFoundException>(() => CausalLanguageModel.Load(folder.Path)).Message);
        File.WriteAllText(folder[ModelFolder.ConfigName], ModelSamples.Json());
        Assert.Contains("model.safetensors", Assert.Throws<FileNotFoundException>(() => CausalLanguageModel.Load(folder.Path)).Message);
    }

    private static void SaveWith(CausalLanguageModel model, TemporaryFolder folder, (string Name, Tensor Value) tensor)
    {
        model.Save(folder.Path);
        Dictionary<string, Tensor> weights = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        weights[tensor.Name] = tensor.Value;
        SafetensorsWriter.Write(folder[ModelFolder.WeightsName], weights);
    }

    private static void SaveWith(CausalLanguageModel model, TemporaryFolder folder, Func<string, string?> rename)
    {
        model.Save(folder.Path);
        SafetensorsWriter.Write(
            folder[ModelFolder.WeightsName],
            from pair in model.named_parameters()
            let name = rename(pair.name)
            where name is not null
            select new KeyValuePair<string, Tensor>(name, pair.parameter));
    }
}
