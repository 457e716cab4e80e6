using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class TokenHeadsParityTests
{
    private static readonly AttentionImplementation[] Kernels = [AttentionImplementation.ScaledDotProduct, AttentionImplementation.Eager];

    public static IEnumerable<TheoryDataRow<string, string, AttentionImplementation>> TokenCases() => Cases("ForTokenClassification", ".logits");

    public static IEnumerable<TheoryDataRow<string, string, AttentionImplementation>> AnswerCases() => Cases("ForQuestionAnswering", ".start_logits");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(TokenCases))]
    public void Token_logits_and_losses_are_the_references(string folder, string name, AttentionImplementation kernel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using TokenClassificationModel model = TokenClassificationModel.Load(ParityFolder.PathOf(folder), attention: kernel);
        Assert.True(model.Report!.IsExact, model.Report.ToString());
        using SafetensorsFile tensors = Open(folder);
        Tensor? mask = Find(tensors, $"{name}.attention_mask");

        Tensor logits = model.forward(tensors.Read($"{name}.input_ids"), mask, Find(tensors, $"{name}.position_ids"));

        Tensor expected = tensors.Read($"{name}.logits");
        Tensor counted = mask is null ? ones(expected.shape[..2], ScalarType.Bool) : mask != 0;
        TensorAssert.Close(expected[counted], logits[counted], "logits");
        if (tensors.Contains($"{name}.loss"))
            TensorAssert.Close(tensors.Read($"{name}.loss"), TokenClassificationModel.Loss(logits, tensors.Read($"{name}.labels")), "loss");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(AnswerCases))]
    public void Answer_logits_and_losses_are_the_references(string folder, string name, AttentionImplementation kernel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using QuestionAnsweringModel model = QuestionAnsweringModel.Load(ParityFolder.PathOf(folder), attention: kernel);
        Assert.True(model.Report!.IsExact, model.Report.ToString());
        using SafetensorsFile tensors = Open(folder);
        Tensor? mask = Find(tensors, $"{name}.attention_mask");

        var (start, end) = model.forward(tensors.Read($"{name}.input_ids"), mask, Find(tensors, $"{name}.position_ids"));

        Tensor counted = mask is null ? ones(start.shape, ScalarType.Bool) : mask != 0;
        TensorAssert.Close(tensors.Read($"{name}.start_logits")[counted], start[counted], "start logits");
        TensorAssert.Close(tensors.Read($"{name}.end_logits")[counted], end[counted], "end logits");

        // Padding has logits too, and they are part of the loss: put the reference's there.
        (start, end) = (tensors.Read($"{name}.start_logits"), tensors.Read($"{name}.end_logits"));
        string prefix = $"{name}.";
        foreach (string loss in tensors.Names.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && key.EndsWith(".loss", StringComparison.Ordinal)))
        {
            string positions = loss[..^"loss".Length];
            Tensor actual = QuestionAnsweringModel.Loss(start, end, tensors.Read($"{positions}start_positions"), tensors.Read($"{positions}end_positions"));
            TensorAssert.Close(tensors.Read(loss), actual, loss);
        }

        foreach (string flag in tensors.Names.Where(key => key.EndsWith(".loss_is_nan", StringComparison.Ordinal)))
        {
            string positions = flag[..^"loss_is_nan".Length];
            Tensor actual = QuestionAnsweringModel.Loss(start, end, tensors.Read($"{positions}start_positions"), tensors.Read($"{positions}end_positions"));
            Assert.Equal(tensors.Read(flag).item<byte>() != 0, float.IsNaN(actual.item<float>()));
        }
    }

    private static IEnumerable<TheoryDataRow<string, string, AttentionImplementation>> Cases(string architecture, string ending)
    {
        foreach (ParityFolderEntry folder in ParityFolder.OfArchitecture(architecture))
        {
            using SafetensorsFile tensors = Open(folder.Name);
            foreach (string name in tensors.Names.Where(key => key.EndsWith(ending, StringComparison.Ordinal)).Select(key => key[..^ending.Length]).ToArray())
                foreach (AttentionImplementation kernel in Kernels)
                    yield return ParityFolder.Row(folder, $"{name} ({ParityFolder.NameOf(kernel)})", folder.Name, name, kernel);
        }
    }

    private static SafetensorsFile Open(string folder) => SafetensorsFile.Open(ParityFolder.PathOf(folder, "expected.safetensors"));

    private static Tensor? Find(SafetensorsFile tensors, string name) => tensors.Contains(name) ? tensors.Read(name) : null;
}
