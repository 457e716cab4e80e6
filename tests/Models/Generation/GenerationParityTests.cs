using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class GenerationParityTests
{
    public static IEnumerable<TheoryDataRow<string, string>> Cases() =>
        from folder in ParityFolder.WithFile("generate.json")
        from name in GenerationFixture.Names(folder.Name)
        where !name.StartsWith("turn2", StringComparison.Ordinal) || name == "turn2_from_scratch"
        select ParityFolder.Row(folder, $"generate {name}", folder.Name, name);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Generated_ids_are_the_references(string folder, string name)
    {
        using var scope = NewDisposeScope();
        using var fixture = new GenerationFixture(folder, name);
        using CausalLanguageModel model = fixture.LoadModel();
        using CausalLanguageModel? assistant = fixture.AssistantFolder is { } path ? CausalLanguageModel.Load(path) : null;

        using GenerationOutput output = model.Generate(fixture.Input with { AssistantModel = assistant }, fixture.Config, TestContext.Current.CancellationToken);

        AssertEqual(fixture.Expected("sequences")!, fixture.Padded(output, fixture.Config.Over(model.GenerationConfig)));
        if (fixture.Expected("scores") is { } scores)
            TensorAssert.Within(FiniteOr(scores), FiniteOr(stack(output.Scores.Select(step => tensor(step, [scores.shape[1], scores.shape[2]])))), 1e-4, "scores");
        if (fixture.Expected("sequences_scores") is { } beamScores)
            TensorAssert.Close(beamScores, tensor(output.Sequences.Select(sequence => sequence.Score!.Value).ToArray()), "beam scores");
        if (fixture.Expected("beam_indices") is { } beamIndices)
        {
            int width = (int)beamIndices.shape[1];
            AssertEqual(beamIndices, [.. output.Sequences.Select(sequence => (int[])[.. sequence.BeamIndices!, .. Enumerable.Repeat(-1, width - sequence.BeamIndices!.Count)])]);
        }
    }

    private static Tensor FiniteOr(Tensor scores) => scores.nan_to_num(neginf: -1e6);

    private static void AssertEqual(Tensor expected, int[][] actual) =>
        Assert.Equal(GenerationFixture.Rows(expected).Select(row => string.Join(" ", row)), actual.Select(row => string.Join(" ", row)));
}
