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
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        string[] expected = [.. tensors.Names.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..])];
        Assert.Equal(parameters.Keys.Order(), expected.Order());
        foreach (string name in expected) TensorAssert.CloseGradient(tensors.Read(Prefix + name), parameters[name].grad!, name);
    }
}
