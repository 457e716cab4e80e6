using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class ForwardParityTests
{
    private static readonly AttentionImplementation[] Kernels = [AttentionImplementation.ScaledDotProduct, AttentionImplementation.Eager];

    public static IEnumerable<TheoryDataRow<string, string, string, AttentionImplementation>> Cases() =>
        from folder in ParityFolder.WithFile("forward.json")
        from spelling in Directory.EnumerateFiles(ParityFolder.PathOf(folder.Name), "config*.json").Select(Path.GetFileName).Order(StringComparer.Ordinal)
        from name in CaseNames(folder.Name)
        from kernel in Kernels
        select ParityFolder.Row(folder, $"forward {name} ({ParityFolder.NameOf(kernel)}, {spelling})", folder.Name, spelling!, name, kernel);

    public static IEnumerable<TheoryDataRow<string, string, AttentionImplementation>> BFloat16Cases() =>
        from folder in ParityFolder.WithFile("forward.json")
        from name in BFloat16CaseNames(folder.Name)
        from kernel in Kernels
        select ParityFolder.Row(folder, $"forward {name} ({ParityFolder.NameOf(kernel)})", folder.Name, name, kernel);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Logits_hidden_states_and_attentions_are_the_references(string folder, string spelling, string name, AttentionImplementation kernel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using SafetensorsFile tensors = SafetensorsFile.Open(ParityFolder.PathOf(folder, "forward.safetensors"));
        using JsonDocument json = ReadCases(folder);
        JsonElement description = json.RootElement.GetProperty(name);
        if (description.TryGetProperty("chunks", out JsonElement chunks))
        {
            foreach (CacheKind kind in Enum.GetValues<CacheKind>())
            {
                // A model of its own each: some rotary embeddings remember the longest text.
                using CausalLanguageModel fresh = Load(folder, spelling, kernel, null);
                Tensor logits = RunInChunks(fresh, kind, tensors, description.GetProperty("input").GetString()!, [.. chunks.EnumerateArray().Select(chunk => chunk.GetInt32())]);
                TensorAssert.Close(tensors.Read($"{name}.logits"), logits, $"logits with the cache {kind}");
            }

            return;
        }

        using CausalLanguageModel model = Load(folder, spelling, kernel, null);
        bool hasStates = tensors.Contains($"{name}.hidden_states");
        bool hasAttentions = tensors.Contains($"{name}.attentions") && kernel == AttentionImplementation.Eager;
        int kept = description.TryGetProperty("logits_to_keep", out JsonElement keep) ? keep.GetInt32() : 0;
        var input = new DecoderInput
        {
            InputIds = Find(tensors, $"{name}.input_ids"),
            InputsEmbeds = Find(tensors, $"{name}.inputs_embeds"),
            AttentionMask = Find(tensors, $"{name}.attention_mask"),
            PositionIds = Find(tensors, $"{name}.position_ids"),
            OutputHiddenStates = hasStates,
            OutputAttentions = hasAttentions,
        };

        // The reference makes a cache unless told not to, which matters where positions come without a mask.
        bool usesCache = !description.TryGetProperty("use_cache", out JsonElement use) || use.GetBoolean();
        using var cache = usesCache && input.PositionIds is not null && input.AttentionMask is null ? new DynamicCache() : null;
        using CausalLanguageModelOutput output = model.Forward(input with { Cache = cache }, kept);

        // [batch, seq]: where there is padding, nobody reads, and the reference's own implementations differ.
        Tensor? counted = input.AttentionMask is { ndim: 2 } mask ? mask != 0 : null;
        TensorAssert.Close(Counted(tensors.Read($"{name}.logits"), counted), Counted(output.Logits, counted), "logits");
        if (hasStates)
        {
            Tensor expected = tensors.Read($"{name}.hidden_states");
            Assert.Equal(expected.shape[0], output.Decoder.HiddenStates.Count);
            for (int layer = 0; layer < expected.shape[0]; layer++)
                TensorAssert.Close(Counted(expected[layer], counted), Counted(output.Decoder.HiddenStates[layer], counted), $"hidden state {layer}");
        }

        if (hasAttentions)
        {
            Tensor expected = tensors.Read($"{name}.attentions");
            Assert.Equal(expected.shape[0], output.Decoder.Attentions.Count);
            for (int layer = 0; layer < expected.shape[0]; layer++)
            {
                // [batch, heads, queries, keys] -> [batch, queries, heads, keys]
                TensorAssert.Close(
                    Counted(expected[layer].transpose(1, 2), counted), Counted(output.Decoder.Attentions[layer].transpose(1, 2), counted), $"attention {layer}");
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(BFloat16Cases))]
    public void Bfloat16_is_no_further_from_float32_than_the_reference_is(string folder, string name, AttentionImplementation kernel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Load(folder, ModelFolder.ConfigName, kernel, ScalarType.BFloat16);
        using SafetensorsFile tensors = SafetensorsFile.Open(ParityFolder.PathOf(folder, "forward.safetensors"));
        using JsonDocument json = ReadCases(folder);
        JsonElement description = json.RootElement.GetProperty(name);
        string input = description.GetProperty("input").GetString()!;
        string precise = input[..input.LastIndexOf('.')];

        Tensor logits = model.forward(tensors.Read(input));

        Assert.Equal(ScalarType.BFloat16, logits.dtype);
        Tensor expected = tensors.Read($"{precise}.logits");
        string kernelName = ParityFolder.NameOf(kernel);
        double limit = 1.5 * RootMeanSquare(tensors.Read($"{name}_{kernelName}.logits"), expected);
        double error = RootMeanSquare(logits, expected);
        Assert.True(error <= limit, $"The logits are {error:E2} from float32 (root mean square), allowed are {limit:E2}.");

        // The largest of thousands of errors depends on chance, too.
        TensorAssert.Within(expected, logits, 2 * description.GetProperty($"max_abs_error_{kernelName}").GetDouble(), "logits");
    }

    private static double RootMeanSquare(Tensor actual, Tensor expected) =>
        (actual.to(ScalarType.Float64) - expected.to(ScalarType.Float64)).square().mean().sqrt().item<double>();

    private static CausalLanguageModel Load(string folder, string spelling, AttentionImplementation kernel, ScalarType? dtype)
    {
        using FileStream weights = File.OpenRead(ParityFolder.PathOf(folder, ModelFolder.WeightsName));
        CausalLanguageModel model = CausalLanguageModel.Load(File.ReadAllBytes(ParityFolder.PathOf(folder, spelling)), weights, dtype, null, kernel);
        Assert.True(model.Report!.IsExact, model.Report.ToString());
        return model;
    }

    private static Tensor RunInChunks(CausalLanguageModel model, CacheKind kind, SafetensorsFile tensors, string input, int[] chunks)
    {
        // "row 0 of nopad.input_ids"
        string[] words = input.Split(' ');
        Tensor ids = tensors.Read(words[3]).narrow(0, int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture), 1);
        using KeyValueCache cache = kind.Make(model.Config, 1, chunks.Sum());
        List<Tensor> logits = [];
        int start = 0;
        foreach (int length in chunks)
        {
            logits.Add(model.Forward(new DecoderInput { InputIds = ids.narrow(1, start, length), Cache = cache }).Logits);
            start += length;
            Assert.Equal(start, cache.Length);
        }

        return cat(logits, 1);
    }

    private static Tensor Counted(Tensor values, Tensor? counted) => counted is null ? values : values[counted];

    private static Tensor? Find(SafetensorsFile tensors, string name) => tensors.Contains(name) ? tensors.Read(name) : null;

    private static JsonDocument ReadCases(string folder) => JsonDocument.Parse(File.ReadAllBytes(ParityFolder.PathOf(folder, "forward.json")));

    private static string[] CaseNames(string folder) => Names(folder, static item => item.TryGetProperty("tensors", out _) || item.TryGetProperty("chunks", out _));

    private static string[] BFloat16CaseNames(string folder) => Names(folder, static item => item.TryGetProperty("max_abs_error_sdpa", out _));

    private static string[] Names(string folder, Func<JsonElement, bool> chosen)
    {
        using JsonDocument json = ReadCases(folder);
        return [.. json.RootElement.EnumerateObject().Where(item => item.Value.ValueKind == JsonValueKind.Object && chosen(item.Value)).Select(item => item.Name)];
    }
}
