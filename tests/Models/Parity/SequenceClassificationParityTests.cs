using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class SequenceClassificationParityTests
{
    private static readonly AttentionImplementation[] Kernels = [AttentionImplementation.ScaledDotProduct, AttentionImplementation.Eager];

    public static IEnumerable<TheoryDataRow<string, string, AttentionImplementation>> Cases() =>
        from folder in ParityFolder.OfArchitecture("ForSequenceClassification")
        from name in Endings(folder.Name, "", ".logits")
        from kernel in Kernels
        select ParityFolder.Row(folder, $"{name} ({ParityFolder.NameOf(kernel)})", folder.Name, name, kernel);

    public static IEnumerable<TheoryDataRow<string, string>> Losses() =>
        from folder in ParityFolder.OfArchitecture("ForSequenceClassification")
        from name in Endings(folder.Name, "labels.", "")
        select ParityFolder.Row(folder, $"loss {name}", folder.Name, name);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Logits_and_pooled_positions_are_the_references(string folder, string name, AttentionImplementation kernel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using SequenceClassificationModel model = SequenceClassificationModel.Load(ParityFolder.PathOf(folder), attention: kernel);
        Assert.True(model.Report!.IsExact, model.Report.ToString());
        using SafetensorsFile tensors = Open(folder);
        var input = new DecoderInput
        {
            InputIds = Find(tensors, $"{name}.input_ids"),
            InputsEmbeds = Find(tensors, $"{name}.inputs_embeds"),
            AttentionMask = Find(tensors, $"{name}.attention_mask"),
            PositionIds = Find(tensors, $"{name}.position_ids"),
        };

        Tensor logits = model.Forward(input);

        Tensor expected = tensors.Read($"{name}.logits");
        if (tensors.Contains($"{name}.pooled_index"))
            Assert.Equal(tensors.Read($"{name}.pooled_index").data<long>().ToArray(), model.PooledPositions(input.InputIds!).data<long>().ToArray());

        // A row whose scored position is padding sees nothing there: the reference's implementations differ from each other.
        Tensor counted = input.AttentionMask is { } mask && input.InputIds is { } masked
            ? mask.gather(1, model.PooledPositions(masked).unsqueeze(1)).squeeze(1) != 0
            : ones([expected.shape[0]], ScalarType.Bool);
        TensorAssert.Close(expected[counted], logits[counted], "logits");
        if (input.InputIds is not { } ids || input.PositionIds is not null) return;

        // The fast path serves the rows that are padded on the right only, or not at all.
        Tensor positions = model.PooledPositions(ids);
        Tensor upTo = arange(ids.shape[1]).unsqueeze(0) <= positions.unsqueeze(1);
        Tensor served = input.AttentionMask is null ? counted : counted & ((input.AttentionMask != 0) == upTo).all(1);
        TensorAssert.Close(expected[served], model.ForwardPooled(ids, positions)[served], "logits of the fast path");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Losses))]
    public void Losses_are_the_references(string folder, string name)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = DecoderConfig.Load(ParityFolder.PathOf(folder));

        // The file calls labels after a problem type, with an ending where there are several shapes of them.
        ProblemType problem = name.StartsWith("single", StringComparison.Ordinal) ? ProblemType.SingleLabelClassification
            : name.StartsWith("multi", StringComparison.Ordinal) ? ProblemType.MultiLabelClassification
            : ProblemType.Regression;
        using FileStream weights = File.OpenRead(ParityFolder.PathOf(folder, ModelFolder.WeightsName));
        byte[] json = (config with { ProblemType = problem }).ToJson(ModelHead.SequenceClassification);
        using SequenceClassificationModel model = SequenceClassificationModel.Load(json, weights);
        using SafetensorsFile tensors = Open(folder);

        Tensor logits = model.forward(tensors.Read("right.input_ids"), Find(tensors, "right.attention_mask"));
        Tensor loss = model.Loss(logits, tensors.Read($"labels.{name}"));

        string expected = tensors.Names.Where(key => key.StartsWith("loss.", StringComparison.Ordinal)).Single(key => name.StartsWith(key[5..], StringComparison.Ordinal));
        TensorAssert.Close(tensors.Read(expected), loss, "loss");
    }

    private static string[] Endings(string folder, string start, string end)
    {
        using SafetensorsFile tensors = Open(folder);
        return
        [
            .. tensors.Names.Where(name => name.StartsWith(start, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal))
                .Select(name => name[start.Length..^end.Length]),
        ];
    }

    private static SafetensorsFile Open(string folder) => SafetensorsFile.Open(ParityFolder.PathOf(folder, "expected.safetensors"));

    private static Tensor? Find(SafetensorsFile tensors, string name) => tensors.Contains(name) ? tensors.Read(name) : null;
}
