using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class SamplingParityTests
{
    private const int Draws = 20_000;

    public static IEnumerable<TheoryDataRow<string, string>> Cases() =>
        from folder in ParityFolder.WithFile("sampling.json")
        from name in Read(folder.Name).RootElement.EnumerateArray().Select(item => item.GetProperty("name").GetString()!)
        select ParityFolder.Row(folder, $"sampling {name}", folder.Name, name);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Processed_distributions_are_the_references(string folder, string name)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = CausalLanguageModel.Load(ParityFolder.PathOf(folder));
        (GenerationConfig config, Tensor expected, int[][] prompts) = Load(folder, name);

        using GenerationOutput output = model.Generate(
            new GenerationInput { InputIds = prompts }, config with { MaxNewTokens = 1, OutputScores = true, OutputLogits = true }, TestContext.Current.CancellationToken);

        using SafetensorsFile tensors = SafetensorsFile.Open(ParityFolder.PathOf(folder, "sampling.safetensors"));
        TensorAssert.Close(tensors.Read("raw_logits"), tensor(output.Logits[0], expected.shape), "logits");
        TensorAssert.Within(expected, nn.functional.softmax(tensor(output.Scores[0], expected.shape), 1), 1e-5, "probabilities");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Drawn_tokens_follow_the_distribution(string folder, string name)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = CausalLanguageModel.Load(ParityFolder.PathOf(folder));
        (GenerationConfig config, Tensor expected, int[][] prompts) = Load(folder, name);
        float[] probabilities = expected[0].data<float>().ToArray();

        using GenerationOutput output = model.Generate(
            new GenerationInput { InputIds = [prompts[0]] }, config with { MaxNewTokens = 1, OutputScores = true }, TestContext.Current.CancellationToken);

        // As each of so many rows would draw its first token.
        var counts = new int[probabilities.Length];
        for (int row = 0; row < Draws; row++) counts[TokenSampler.Draw(output.Scores[0], RowRandom.Of(seed: 1, row).Next(step: 0))]++;
        ChiSquare.AssertFits(probabilities, counts);
    }

    private static (GenerationConfig Config, Tensor Probabilities, int[][] Prompts) Load(string folder, string name)
    {
        using JsonDocument json = Read(folder);
        JsonElement item = json.RootElement.EnumerateArray().First(item => item.GetProperty("name").GetString() == name);
        using SafetensorsFile tensors = SafetensorsFile.Open(ParityFolder.PathOf(folder, "sampling.safetensors"));
        return (
            GenerationConfig.Parse(JsonSerializer.SerializeToUtf8Bytes(item.GetProperty("kwargs"))), tensors.Read(item.GetProperty("tensor").GetString()!),
            GenerationFixture.Rows(tensors.Read("input_ids")));
    }

    private static JsonDocument Read(string folder) => JsonDocument.Parse(File.ReadAllBytes(ParityFolder.PathOf(folder, "sampling.json")));
}
