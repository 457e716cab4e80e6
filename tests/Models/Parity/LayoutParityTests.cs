using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>The same model in many file layouts, and in broken ones.</summary>
public class LayoutParityTests
{
    private static readonly string s_folder = ParityFolder.PathOf("layouts");

    public static IEnumerable<TheoryDataRow<string>> Cases()
    {
        if (!Directory.Exists(s_folder)) yield break;
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(s_folder, "README.json")));
        foreach (JsonProperty item in json.RootElement.GetProperty("folders").EnumerateObject())
        {
            yield return new TheoryDataRow<string>(item.Name)
            {
                TestDisplayName = $"layouts: {item.Name}",
                Skip = Loads(item.Value) ? ParityFolder.WhyNot(Path.Combine(s_folder, item.Name)) : null,
            };
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void A_layout_loads_to_the_same_logits_or_is_refused(string name)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(s_folder, "README.json")));
        JsonElement description = json.RootElement.GetProperty("folders").GetProperty(name);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(s_folder, "expected.safetensors"));
        string path = Path.Combine(s_folder, name);
        
        // The reference only warns where tensors of the decoder are missing, and goes on with random ones.
        bool isComplete = !description.TryGetProperty("missing_keys", out JsonElement missing)
            || missing.EnumerateArray().All(key => key.GetString()!.StartsWith("lm_head", StringComparison.Ordinal));
        if (!Loads(description) || !isComplete)
        {
            Exception? exception = Record.Exception(() => CausalLanguageModel.Load(path));
            Assert.True(exception is FormatException or NotSupportedException or FileNotFoundException, $"{exception}");
            return;
        }

        using CausalLanguageModel model = CausalLanguageModel.Load(path, attention: AttentionImplementation.Eager);
        if (description.TryGetProperty("logits_dtype", out JsonElement dtype)) Assert.Equal(dtype.GetString(), DecoderConfigKeys.NameOf(model.DType));
        if (!expected.Contains($"{name}.logits"))
        {
            Assert.NotEmpty(model.Report!.Fresh);
            return;
        }

        Tensor reference = expected.Read($"{name}.logits");
        Tensor logits = model.forward(expected.Read("input_ids"));
        double tolerance = model.DType switch { ScalarType.BFloat16 => 0.05, ScalarType.Float16 => 0.01, _ => TensorAssert.Tolerance };
        TensorAssert.Within(reference, logits, tolerance * Math.Max(1, TensorAssert.Largest(reference)), "logits");
    }

    private static bool Loads(JsonElement description) => description.GetProperty("official").GetString() == "loads";
}
