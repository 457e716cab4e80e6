using System.Text.Json;
using MLComponents.Testing;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>The same model in many file layouts, and in broken ones.</summary>
public class LayoutParityTests
{
    public static IEnumerable<TheoryDataRow<string>> Cases()
    {
        if (Folder() is not { } folder) yield break;
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "README.json")));
        foreach (JsonProperty item in json.RootElement.GetProperty("folders").EnumerateObject())
        {
            bool isSafe = !Directory.EnumerateFiles(Path.Combine(folder, item.Name)).Any(file => Path.GetFileName(file).StartsWith("pytorch_model", StringComparison.Ordinal));
            yield return new TheoryDataRow<string>(item.Name)
            {
                TestDisplayName = $"layouts: {item.Name}",
                Skip = isSafe ? null : "pytorch_model.bin is not read yet",
            };
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void A_layout_loads_to_the_same_logits_or_is_refused(string name)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        string folder = Folder()!;
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "README.json")));
        JsonElement description = json.RootElement.GetProperty("folders").GetProperty(name);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        string path = Path.Combine(folder, name);
        bool loads = description.GetProperty("official").GetString() == "loads";

        // The reference only warns where tensors of the decoder are missing, and goes on with random ones.
        bool isComplete = !description.TryGetProperty("missing_keys", out JsonElement missing)
            || missing.EnumerateArray().All(key => key.GetString()!.StartsWith("lm_head", StringComparison.Ordinal));
        if (!loads || !isComplete)
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

    private static string? Folder()
    {
        string here = ParityFolder.PathOf("layouts");
        return Directory.Exists(here) ? here : TestPaths.Shared("fixtures", "layouts");
    }
}
