using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>adapter_model.safetensors: what fits, what does not, and that nothing changes where it does not.</summary>
public class AdapterFileTests
{
    private const string Prefix = "base_model.model.";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_adapted_embedding_is_stored_with_the_weight_of_the_base_where_it_is_named_as_PEFT_looks_for_it(bool isNamed)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using CausalLanguageModel model = AdapterSamples.Causal(), other = AdapterSamples.Causal();
        LoraOptions options = AdapterSamples.Loud(isNamed ? ["embed_tokens", "lm_head"] : ["model.embed_tokens", "o_proj"]);
        options.UseDora = true;
        model.Adapters.Add(options).Save(folder.Path);
        Tensor adapted = AdapterSamples.Scores(model);
        using (SafetensorsFile file = SafetensorsFile.Open(folder["adapter_model.safetensors"]))
        {
            string[] whole = isNamed ? [$"{Prefix}lm_head.base_layer.weight", $"{Prefix}model.embed_tokens.base_layer.weight"] : [];
            Assert.Equal(whole, file.Names.Where(name => name.Contains("base_layer", StringComparison.Ordinal)));
            Assert.Equal([3, 60], file[$"{Prefix}model.embed_tokens.lora_embedding_A"].Shape);
            Assert.Equal([48, 3], file[$"{Prefix}model.embed_tokens.lora_embedding_B"].Shape);
            Assert.Equal([48], file[$"{Prefix}model.embed_tokens.lora_magnitude_vector"].Shape);
        }

        other.Adapters.Load(folder.Path);
        Assert.True(AdapterSamples.AreEqual(adapted, AdapterSamples.Scores(other)));
        using var again = new TemporaryFolder();
        other.Adapters["default"].Save(again.Path);
        Assert.Equal(File.ReadAllBytes(folder["adapter_model.safetensors"]), File.ReadAllBytes(again["adapter_model.safetensors"]));
        Assert.Equal(File.ReadAllBytes(folder["adapter_config.json"]), File.ReadAllBytes(again["adapter_config.json"]));

        // The weight is the base's own, so that the base is still itself.
        other.SaveWeights(Stream.Null);
        other.Adapters.Merge();
        if (isNamed) Assert.Throws<InvalidOperationException>(() => other.Adapters["default"].Save(again.Path));
        else other.Adapters["default"].Save(again.Path);
    }

    [Fact]
    public void Another_embedding_in_the_file_takes_the_place_of_the_bases_until_the_adapter_is_deleted()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal(), grown = AdapterSamples.Causal();
        Tensor plain = AdapterSamples.Scores(model);
        using (no_grad()) AdapterSamples.Part(grown, "model.embed_tokens").Weight.mul_(2);
        LoraAdapter adapter = grown.Adapters.Add(AdapterSamples.Loud(["q_proj"]));
        using var weights = new MemoryStream();
        SafetensorsWriter.Write(weights, [.. AdapterFile.Tensors(adapter.Weights), new($"{Prefix}model.embed_tokens.weight", AdapterSamples.Part(grown, "model.embed_tokens").Weight)]);
        weights.Position = 0;

        model.Adapters.Load(adapter.ToJson(), weights);
        Assert.True(AdapterSamples.AreEqual(AdapterSamples.Scores(grown), AdapterSamples.Scores(model)));
        Assert.Throws<InvalidOperationException>(() => model.SaveWeights(Stream.Null));
        using var written = new MemoryStream();
        model.Adapters["default"].SaveWeights(written);
        Assert.Equal(weights.ToArray(), written.ToArray());
        Tensor other = SafetensorsFile.Open(weights.ToArray()).Read($"{Prefix}model.embed_tokens.weight") * 3;
        using MemoryStream third = Written([.. AdapterFile.Tensors(adapter.Weights), new($"{Prefix}model.embed_tokens.weight", other)]);
        Assert.Contains("'default'", Assert.Throws<InvalidOperationException>(() => model.Adapters.Load(adapter.ToJson(), third, "third")).Message, StringComparison.Ordinal);
        model.Adapters.Unload();
        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
    }

    [Fact]
    public void Adapters_go_from_head_to_head_and_from_a_bare_decoder_whatever_it_is_called_there()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel causal = AdapterSamples.Causal();
        using var answering = (QuestionAnsweringModel)AdapterSamples.Create("qwen2", ModelHead.QuestionAnswering);
        LoraAdapter adapter = causal.Adapters.Add(AdapterSamples.Loud(["q_proj"]));
        using var weights = new MemoryStream();
        adapter.SaveWeights(weights);
        weights.Position = 0;
        Assert.Equal("CAUSAL_LM", answering.Adapters.Load(adapter.ToJson(), weights, "causal").TaskType);

        using var bare = new MemoryStream();
        SafetensorsWriter.Write(bare, AdapterFile.Tensors(adapter.Weights).Select(pair => KeyValuePair.Create(pair.Key.Replace("model.model.", "model.", StringComparison.Ordinal), pair.Value)));
        bare.Position = 0;
        answering.Adapters.Load(adapter.ToJson(), bare, "bare");
        Tensor one = AdapterSamples.Scores(answering);
        answering.Adapters.Activate("bare");
        Assert.True(AdapterSamples.AreEqual(one, AdapterSamples.Scores(answering)));
        Assert.Contains(answering.named_parameters(), pair => pair.name == "transformer.layers.0.self_attn.q_proj.lora_A.bare.weight");
    }

    [Fact]
    public void What_does_not_fit_is_refused_as_a_whole_list_and_the_model_is_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var model = (SequenceClassificationModel)AdapterSamples.Create("phi", ModelHead.SequenceClassification);
        using var other = new SequenceClassificationModel(AdapterSamples.Config("phi", ", \"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}"), seed: 1);
        LoraAdapter adapter = other.Adapters.Add(new LoraOptions { TargetModules = ["q_proj"], Bias = LoraBias.LoraOnly });
        Dictionary<string, Tensor> tensors = new(AdapterFile.Tensors(adapter.Weights));
        tensors.Remove($"{Prefix}model.layers.1.self_attn.q_proj.lora_B.weight");
        tensors.Remove($"{Prefix}model.layers.2.self_attn.q_proj.base_layer.bias");
        tensors.Add($"{Prefix}model.layers.9.self_attn.q_proj.lora_A.weight", zeros(8, 48));
        tensors.Add("model.layers.0.self_attn.q_proj.lora_A.weight", zeros(8, 48));
        using MemoryStream weights = Written(tensors);
        string[] before = AdapterSamples.Trained(model);
        Tensor plain = AdapterSamples.Scores(model);

        FormatException error = Assert.Throws<FormatException>(() => model.Adapters.Load(adapter.ToJson(), weights));

        Assert.Contains($"2 missing: {Prefix}model.layers.1.self_attn.q_proj.lora_B.weight, {Prefix}model.layers.2.self_attn.q_proj.base_layer.bias", error.Message, StringComparison.Ordinal);
        Assert.Contains($"1 of another shape: {Prefix}score.weight: found [3, 48], expected [2, 48]", error.Message, StringComparison.Ordinal);
        Assert.Contains("2 unexpected: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("model.layers.9.self_attn.q_proj.lora_A.weight", error.Message, StringComparison.Ordinal);
        Assert.Empty(model.Adapters);
        Assert.Equal(before, AdapterSamples.Trained(model));
        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
    }

    [Fact]
    public void A_file_that_ends_early_leaves_the_model_as_it_was()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal("phi"), other = AdapterSamples.Causal("phi");
        LoraAdapter adapter = other.Adapters.Add(new LoraOptions { TargetModules = ["q_proj"], Bias = LoraBias.All });
        using (no_grad())
            foreach (BaseValue value in adapter.Weights.BaseValues) value.Parameter.add_(1);
        using MemoryStream weights = Written(AdapterFile.Tensors(adapter.Weights));
        Tensor plain = AdapterSamples.Scores(model);
        Assert.Throws<FormatException>(() => model.Adapters.Load(adapter.ToJson(), new MemoryStream(weights.ToArray()[..^5])));
        Assert.True(AdapterSamples.AreEqual(plain, AdapterSamples.Scores(model)));
        model.SaveWeights(Stream.Null);
        model.Adapters.Load(adapter.ToJson(), weights);
        Assert.True(AdapterSamples.AreEqual(AdapterSamples.Scores(other), AdapterSamples.Scores(model)));
    }

    [Fact]
    public void Half_precision_files_are_read_into_single_precision_and_integers_are_refused()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = AdapterSamples.Causal();
        LoraAdapter adapter = model.Adapters.Add(AdapterSamples.Loud(["q_proj"]));
        using var half = new MemoryStream();
        SafetensorsWriter.Write(half, AdapterFile.Tensors(adapter.Weights), ScalarType.Float16);
        half.Position = 0;
        LoraLayer read = model.Adapters.Load(adapter.ToJson(), half, "half").Weights.Layers[0];
        Assert.Equal(ScalarType.Float32, read.A.dtype);
        TensorAssert.Within(adapter.Weights.Layers[0].A, read.A, 1e-3, "A");

        Dictionary<string, Tensor> tensors = new(AdapterFile.Tensors(adapter.Weights));
        string key = tensors.Keys.First();
        tensors[key] = tensors[key].to(ScalarType.Int32);
        Assert.Contains(key, Assert.Throws<NotSupportedException>(() => model.Adapters.Load(adapter.ToJson(), Written(tensors), "whole")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_that_PEFT_kept_beside_its_copy_is_passed_over_and_reported()
    {
        using var scope = NewDisposeScope();
        using var model = (TokenClassificationModel)AdapterSamples.Create("phi", ModelHead.TokenClassification);
        LoraAdapter adapter = model.Adapters.Add(new LoraOptions { Bias = LoraBias.All });
        using MemoryStream weights = Written([.. AdapterFile.Tensors(adapter.Weights), new($"{Prefix}score.original_module.bias", zeros(2))]);
        byte[] json = adapter.ToJson();
        model.Adapters.Unload();
        Assert.Equal([$"{Prefix}score.original_module.bias"], model.Adapters.Load(json, weights).Ignored);
    }

    [Fact]
    public void Configurations_of_older_PEFTs_that_do_not_name_the_head_get_it_from_the_task()
    {
        using var scope = NewDisposeScope();
        using var model = (SequenceClassificationModel)AdapterSamples.Create("phi", ModelHead.SequenceClassification);
        LoraAdapter adapter = model.Adapters.Add(new LoraOptions { TargetModules = ["q_proj"], Rank = 2 });
        using MemoryStream weights = Written(AdapterFile.Tensors(adapter.Weights));
        LoraAdapter read = model.Adapters.Load(
            """{"peft_type": "LORA", "r": 2, "lora_alpha": 8, "target_modules": ["q_proj"], "task_type": "SEQ_CLS", "modules_to_save": null}"""u8, weights, "older");
        Assert.Equal(["classifier", "score"], read.Options.ModulesToSave!);
    }

    [Fact]
    public void An_adapter_in_PyTorchs_own_form_is_the_same_adapter()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using CausalLanguageModel model = AdapterSamples.Causal();
        Tensor ids = randint(3, 60, [2, 5]);
        model.Adapters.Add(new LoraOptions { TargetModules = ["q_proj", "down_proj"], Initialization = LoraInitialization.Random }, "kept").Save(folder.Path);
        Tensor expected = model.forward(ids);
        using (SafetensorsFile file = SafetensorsFile.Open(folder["adapter_model.safetensors"]))
            File.WriteAllBytes(folder["adapter_model.bin"], TorchWriter.Of([.. file.Names.Select(name => (name, file.Read(name)))]).Archive());
        File.Delete(folder["adapter_model.safetensors"]);

        model.Adapters.Delete("kept");
        Assert.False(expected.equal(model.forward(ids)).all().item<bool>());
        model.Adapters.Load(folder.Path, "again");

        Assert.True(expected.equal(model.forward(ids)).all().item<bool>());
    }

    [Fact]
    public void A_folder_that_lacks_a_file_is_refused_with_what_was_expected()
    {
        using CausalLanguageModel model = AdapterSamples.Causal();
        using var folder = new TemporaryFolder();
        Assert.Contains("adapter_config.json", Assert.Throws<FileNotFoundException>(() => model.Adapters.Load(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(folder["adapter_config.json"], """{"peft_type": "LORA", "target_modules": ["q_proj"]}""");
        Assert.Contains("adapter_model.safetensors", Assert.Throws<FileNotFoundException>(() => model.Adapters.Load(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(folder["adapter_model.bin"], [1]);
        Assert.Contains("adapter_model.bin", Assert.Throws<FormatException>(() => model.Adapters.Load(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(folder["adapter_model.safetensors"], [1, 2, 3]);
        Assert.Throws<FormatException>(() => model.Adapters.Load(folder.Path));
        File.WriteAllText(folder["adapter_config.json"], """{"peft_type": "LORA", "target_modules": ["nothing"]}""");
        model.Adapters.Add(new LoraOptions(), "other").Save(folder.Path);
        File.WriteAllText(folder["adapter_config.json"], """{"peft_type": "LORA", "target_modules": ["nothing"]}""");
        Assert.Contains("[nothing]", Assert.Throws<FormatException>(() => model.Adapters.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static MemoryStream Written(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, tensors);
        stream.Position = 0;
        return stream;
    }
}
