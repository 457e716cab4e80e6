using System.Text.Json;
using MLComponents.Testing;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>A model that learnt something, with what the reference says about it.</summary>
public class SmallModelParityTests
{
    private const string Name = "stories260K";

    [Theory]
    [InlineData("greedy")]
    [InlineData("story0")]
    public void Logits_and_losses_of_a_trained_model_are_the_references(string text)
    {
        string folder = TestPaths.SharedOrSkip("models", Name);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = CausalLanguageModel.Load(Path.Combine(folder, "qwen2"));
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected", "logits.safetensors"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected", "greedy-and-nll.json")));
        JsonElement description = json.RootElement.GetProperty("nll").EnumerateArray().Single(item => item.GetProperty("text_file").GetString()!.Contains(text));
        Tensor ids = tensor(description.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64()).ToArray()).unsqueeze(0);

        Tensor logits = model.forward(ids);

        Tensor every8th = logits[0].index_select(0, arange(0, ids.shape[1], 8));
        TensorAssert.Close(expected.Read($"logits.{text}"), every8th, "logits");
        Assert.Equal(description.GetProperty("mean_nll").GetDouble(), CausalLanguageModel.Loss(logits, ids).item<float>(), 1e-4);
    }
}
