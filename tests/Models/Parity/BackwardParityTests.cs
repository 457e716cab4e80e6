using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class BackwardParityTests
{
    private const string Prefix = "grad.";

    public static IEnumerable<TheoryDataRow<string, AttentionImplementation>> Cases() =>
        from folder in ParityFolder.WithFile("backward.safetensors")
        from kernel in new[] { AttentionImplementation.ScaledDotProduct, AttentionImplementation.Eager }
        select ParityFolder.Row(folder, $"backward ({ParityFolder.NameOf(kernel)})", folder.Name, kernel);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void The_loss_and_every_gradient_are_the_references(string folder, AttentionImplementation kernel)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = CausalLanguageModel.Load(ParityFolder.PathOf(folder), attention: kernel);
        using SafetensorsFile tensors = SafetensorsFile.Open(ParityFolder.PathOf(folder, "backward.safetensors"));

        Tensor logits = model.forward(tensors.Read("input_ids"), tensors.Read("attention_mask"));
        Tensor loss = CausalLanguageModel.Loss(logits, tensors.Read("labels"));
        loss.backward();

        TensorAssert.Close(tensors.Read("loss"), loss, "loss");

        // The reference calls one head differently in memory than in its files.
        var parameters = model.named_parameters().ToDictionary(pair => model.Names.Canonical(pair.name), pair => pair.parameter);
        var expected = tensors.Names.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).ToDictionary(name => model.Names.Canonical(name[Prefix.Length..]));
        Assert.Equal(parameters.Keys.Order(), expected.Keys.Order());
        foreach (var (key, name) in expected) TensorAssert.CloseGradient(tensors.Read(name), parameters[key].grad!, name);
    }
}
