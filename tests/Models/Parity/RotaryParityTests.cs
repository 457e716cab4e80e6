using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class RotaryParityTests
{
    private const string Folder = "rope";

    public static IEnumerable<TheoryDataRow<string>> Cases()
    {
        if (!File.Exists(ParityFolder.PathOf(Folder, "cases.json"))) yield break;
        using JsonDocument json = ReadCases();
        foreach (string name in json.RootElement.EnumerateObject().Select(item => item.Name))
            yield return new TheoryDataRow<string>(name) { TestDisplayName = $"{Folder}: {name}" };
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Frequencies_scaling_cosines_and_sines_are_the_references(string name)
    {
        using var scope = NewDisposeScope();
        using JsonDocument json = ReadCases();
        JsonElement description = json.RootElement.GetProperty(name);
        using SafetensorsFile expected = SafetensorsFile.Open(ParityFolder.PathOf(Folder, "expected.safetensors"));
        int headSize = description.GetProperty("head_dim").GetInt32();
        int maxPositions = description.GetProperty("max_position_embeddings").GetInt32();
        string config = $$"""{"max_position_embeddings": {{maxPositions}}, "rope_parameters": {{description.GetProperty("params").GetRawText()}}}""";
        using JsonDocument document = JsonDocument.Parse(config);
        RopeParameters rope = new RopeSpelling { Fraction = "partial_rotary_factor" }.Read(new ConfigReader(document.RootElement, name));
        int rotarySize = (int)(headSize * rope.RotaryFraction);
        rope.Validate(rotarySize, maxPositions, name);
        int length = description.GetProperty("seq_len") is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : maxPositions;

        float[] frequencies = rope.InverseFrequencies(rotarySize, maxPositions, length);
        double scaling = rope.AttentionScaling(maxPositions);

        // Relative to each frequency: the last ones are thousands of times smaller than the first.
        float[] wanted = expected.Read($"inv_freq.{name}").data<float>().ToArray();
        Assert.Equal(wanted.Length, frequencies.Length);
        for (int pair = 0; pair < wanted.Length; pair++) Assert.InRange(frequencies[pair] / wanted[pair], 1 - 1e-6, 1 + 1e-6);
        Assert.Equal(description.GetProperty("attention_scaling").GetDouble(), scaling, 1e-9);
        Tensor angles = expected.Read("positions").to(ScalarType.Float32).unsqueeze(-1) * tensor(frequencies);
        TensorAssert.Within(expected.Read($"cos.{name}"), cat([angles.cos(), angles.cos()], -1) * scaling, 1e-3, "cosines");
        TensorAssert.Within(expected.Read($"sin.{name}"), cat([angles.sin(), angles.sin()], -1) * scaling, 1e-3, "sines");
    }

    [Fact]
    public void Dynamic_frequencies_stay_at_the_longest_text_until_a_short_one()
    {
        var rope = new DynamicRope { Factor = 2 };

        Assert.Equal(16, rope.EffectiveLength(10, 16, 16));
        Assert.Equal(30, rope.EffectiveLength(30, 16, 16));
        Assert.Equal(30, rope.EffectiveLength(20, 30, 16));
        Assert.Equal(16, rope.EffectiveLength(10, 30, 16));
    }

    private static JsonDocument ReadCases() => JsonDocument.Parse(File.ReadAllBytes(ParityFolder.PathOf(Folder, "cases.json")));
}
