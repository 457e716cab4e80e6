using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class LoraParityTests
{
    private static readonly AttentionImplementation[] Kernels = [AttentionImplementation.ScaledDotProduct, AttentionImplementation.Eager];

    public static IEnumerable<TheoryDataRow<string, AttentionImplementation>> Logits() =>
        from folder in LoraFixture.All()
        from kernel in Kernels
        select ParityFolder.Row(folder, $"logits ({ParityFolder.NameOf(kernel)})", folder.Name, kernel);

    public static IEnumerable<TheoryDataRow<string, bool>> Files() =>
        from folder in LoraFixture.All()
        from streams in new[] { false, true }
        select ParityFolder.Row(folder, $"saved again ({(streams ? "streams" : "folder")})", folder.Name, streams);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Logits))]
    public void Logits_are_the_references_with_the_adapter_merged_and_without(string name, AttentionImplementation kernel)
    {
        using var scope = NewDisposeScope();
        using LoraFixture fixture = LoraFixture.Open(name, kernel);
        ModelAdapters adapters = fixture.Model.Adapters;
        adapters.Load(fixture.Folder);

        fixture.AssertExpected("");
        IReadOnlyDictionary<string, Tensor> before = fixture.Scores();
        if (fixture.HasBaseHead)
            using (adapters.Disable())
                fixture.AssertExpected("_adapter_disabled");

        adapters.Merge();
        fixture.AssertExpected("_merged");
        adapters.Unmerge();
        foreach (var (key, scores) in fixture.Scores()) Assert.True(scores.equal(before[key]).all().item<bool>(), $"{key} after unmerging differs from before");

        adapters.MergeAndUnload();
        Assert.Empty(adapters);
        fixture.AssertExpected("_merged");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void An_adapter_that_is_saved_again_is_the_same_file(string name, bool streams)
    {
        using LoraFixture fixture = LoraFixture.Open(name);
        using var folder = new TemporaryFolder();
        string weights = folder["adapter_model.safetensors"], config = folder["adapter_config.json"];
        if (streams)
        {
            using FileStream stored = File.OpenRead(Path.Combine(fixture.Folder, "adapter_model.safetensors"));
            LoraAdapter adapter = fixture.Model.Adapters.Load(File.ReadAllBytes(Path.Combine(fixture.Folder, "adapter_config.json")), stored, "other");
            using (FileStream written = File.Create(weights)) adapter.SaveWeights(written);
            File.WriteAllBytes(config, adapter.ToJson());
        }
        else
        {
            fixture.Model.Adapters.Load(fixture.Folder).Save(folder.Path);
        }

        Assert.Equal(File.ReadAllBytes(Path.Combine(fixture.Folder, "adapter_model.safetensors")), File.ReadAllBytes(weights));
        using JsonDocument expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(fixture.Folder, "adapter_config.json")));
        using JsonDocument actual = JsonDocument.Parse(File.ReadAllBytes(config));
        Assert.True(JsonElement.DeepEquals(expected.RootElement, actual.RootElement), actual.RootElement.GetRawText());
        Assert.Equal(expected.RootElement.EnumerateObject().Select(key => key.Name), actual.RootElement.EnumerateObject().Select(key => key.Name));
    }
}
