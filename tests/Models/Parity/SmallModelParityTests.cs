using System.Text.Json;
using System.Text.Json.Nodes;
using MLComponents.Testing;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Models that learnt something, with what the reference says about them. Each is one model in the layouts of several families.</summary>
public class SmallModelParityTests
{
    private const string Stories = "stories260K";

    public static TheoryData<string, string> StoryCases() => new MatrixTheoryData<string, string>(["qwen2", "phi3", "llama"], ["greedy", "story0"]);

    [Theory]
    [MemberData(nameof(StoryCases))]
    public void Stories_have_the_references_logits_and_losses(string layout, string text)
    {
        string folder = TestPaths.SharedOrSkip("models", Stories);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = LoadStories(folder, layout);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected", "logits.safetensors"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected", "greedy-and-nll.json")));
        JsonElement description = json.RootElement.GetProperty("nll").EnumerateArray().Single(item => item.GetProperty("text_file").GetString()!.Contains(text));
        Tensor ids = Ids(description);

        Tensor logits = model.forward(ids);

        Tensor every8th = logits[0].index_select(0, arange(0, ids.shape[1], 8));
        TensorAssert.Close(expected.Read($"logits.{text}"), every8th, "logits");
        Assert.Equal(description.GetProperty("mean_nll").GetDouble(), CausalLanguageModel.Loss(logits, ids).item<float>(), 1e-4);
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("phi3")]
    public void A_pretrained_model_has_the_references_logits_states_and_loss(string layout)
    {
        string folder = SmolLm2.Folder(layout);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = CausalLanguageModel.Load(folder, ScalarType.Float32);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(SmolLm2.Expected, "values.safetensors"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SmolLm2.Expected, "values.json")));
        Assert.True(model.Report!.IsExact, model.Report.ToString());

        foreach (JsonElement item in json.RootElement.GetProperty("logits").EnumerateArray())
        {
            using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = Ids(item) }, logitsToKeep: 1);
            string name = item.GetProperty("tensor").GetString()!;
            TensorAssert.Close(expected.Read(name), output.Logits[0, 0], name);
        }

        foreach (JsonElement item in json.RootElement.GetProperty("hidden").EnumerateArray())
        {
            using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = Ids(item) }, logitsToKeep: 1);
            string name = item.GetProperty("tensor").GetString()!;
            TensorAssert.Close(expected.Read(name), output.Decoder.LastHiddenState[0, -1], name);
        }

        JsonElement likelihood = json.RootElement.GetProperty("nll");
        double[] means = [.. likelihood.GetProperty("window_means").EnumerateArray().Select(mean => mean.GetDouble())];
        Tensor[] windows = Ids(likelihood)[0].split(likelihood.GetProperty("window").GetInt32());
        Assert.Equal(means.Length, windows.Length);
        for (int window = 0; window < means.Length; window++)
        {
            using var each = NewDisposeScope();
            Tensor ids = windows[window].unsqueeze(0);
            Assert.Equal(means[window], CausalLanguageModel.Loss(model.forward(ids), ids).item<float>(), 1e-4);
        }
    }

    /// <summary>The model in a family's layout. Llama's is Qwen2's without the biases, which are zero here.</summary>
    private static CausalLanguageModel LoadStories(string folder, string layout)
    {
        if (layout != "llama") return CausalLanguageModel.Load(Path.Combine(folder, layout));
        using var llama = new TemporaryFolder();
        JsonNode config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "qwen2", ModelFolder.ConfigName)))!;
        config["model_type"] = "llama";
        config["architectures"] = new JsonArray("LlamaForCausalLM");
        File.WriteAllText(llama[ModelFolder.ConfigName], config.ToJsonString());
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(folder, "qwen2", ModelFolder.WeightsName));
        foreach (string bias in weights.Names.Where(IsBias)) Assert.Equal(0, TensorAssert.Largest(weights.Read(bias)));
        SafetensorsWriter.Write(
            llama[ModelFolder.WeightsName], weights.Names.Where(name => !IsBias(name)).Select(name => KeyValuePair.Create(name, weights.Read(name))));
        CausalLanguageModel model = CausalLanguageModel.Load(llama.Path);
        Assert.True(model.Report!.IsExact, model.Report.ToString());
        return model;

        static bool IsBias(string name) => name.EndsWith(".bias", StringComparison.Ordinal);
    }

    private static Tensor Ids(JsonElement description) =>
        tensor(description.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64()).ToArray()).unsqueeze(0);
}
