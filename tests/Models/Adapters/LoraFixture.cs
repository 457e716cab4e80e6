using System.Text.Json;
using MLComponents.Testing;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>A folder of an adapter that the reference has made, with its base model and what the two give.</summary>
internal sealed class LoraFixture : IDisposable
{
    private const string Parent = "lora";

    private readonly SafetensorsFile _expected;

    private LoraFixture(string folder, PretrainedModel model)
    {
        (Folder, Model) = (folder, model);
        _expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        Ids = _expected.Read("input_ids");
        Mask = _expected.Contains("attention_mask") ? _expected.Read("attention_mask") : null;
    }

    public string Folder { get; }

    public PretrainedModel Model { get; }

    public Tensor Ids { get; }

    public Tensor? Mask { get; }

    /// <summary>Whether the model without the adapter is comparable: it is not where the adapter brings the head, so that the base's is random.</summary>
    public bool HasBaseHead => Model.Head is ModelHead.CausalLanguageModel or ModelHead.QuestionAnswering && Model.Report!.Fresh.Count == 0;

    /// <summary>The folders there are.</summary>
    public static IEnumerable<ParityFolderEntry> All() =>
        from folder in Folders()
        where File.Exists(Path.Combine(folder, "base_model.json")) && File.Exists(Path.Combine(folder, "adapter_config.json"))
        select new ParityFolderEntry($"{Parent}/{Path.GetFileName(folder)}", WhyNot(folder));

    /// <summary>Loads the base, without the adapter.</summary>
    public static LoraFixture Open(string name, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct, ScalarType? dtype = null)
    {
        string folder = ParityFolder.PathOf(name);
        using JsonDocument json = Description(folder);
        string model = BaseOf(json);
        int? labels = json.RootElement.TryGetProperty("num_labels", out JsonElement count) ? count.GetInt32() : null;
        return new LoraFixture(folder, json.RootElement.GetProperty("class").GetString() switch
        {
            "ForCausalLM" => CausalLanguageModel.Load(model, dtype, attention: attention),
            "ForSequenceClassification" => SequenceClassificationModel.Load(model, labels, dtype, attention: attention),
            "ForTokenClassification" => TokenClassificationModel.Load(model, labels, dtype, attention: attention),
            _ => QuestionAnsweringModel.Load(model, dtype, attention: attention),
        });
    }

    /// <summary>What the model gives for the ids, by the name that the file has for it.</summary>
    public IReadOnlyDictionary<string, Tensor> Scores() => ScoresOf(Model, Ids, Mask);

    public static IReadOnlyDictionary<string, Tensor> ScoresOf(PretrainedModel model, Tensor ids, Tensor? mask)
    {
        using var noGradient = no_grad();
        switch (model)
        {
            case CausalLanguageModel causal: return One(causal.forward(ids, mask));
            case SequenceClassificationModel sequence: return One(sequence.forward(ids, mask));
            case TokenClassificationModel token: return One(token.forward(ids, mask));
            default:
                var (start, end) = ((QuestionAnsweringModel)model).forward(ids, mask);
                return new Dictionary<string, Tensor> { ["start_logits"] = start, ["end_logits"] = end };
        }

        static Dictionary<string, Tensor> One(Tensor logits) => new() { ["logits"] = logits };
    }

    /// <summary>Compares with what the file has under the same names with an ending; positions that are padding are left out.</summary>
    public void AssertExpected(string ending)
    {
        foreach (var (name, actual) in Scores()) TensorAssert.Close(Counted(_expected.Read(name + ending)), Counted(actual), name + ending);
    }

    public void Dispose()
    {
        _expected.Dispose();
        Model.Dispose();
    }

    /// <summary>What counts of scores of tokens, <c>[batch, seq, ...]</c>; all of scores of texts.</summary>
    public Tensor Counted(Tensor scores) => Mask is null || Model.Head == ModelHead.SequenceClassification ? scores : scores[Mask != 0];

    private static IEnumerable<string> Folders()
    {
        string root = Path.Combine(TestPaths.Fixtures, Parent);
        return Directory.Exists(root) ? Directory.GetDirectories(root).Order(StringComparer.Ordinal) : Enumerable.Empty<string>();
    }

    private static string BaseOf(JsonDocument json) => ParityFolder.PathOf(json.RootElement.GetProperty("folder").GetString()!);

    private static JsonDocument Description(string folder) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "base_model.json")));

    private static string? WhyNot(string folder)
    {
        using JsonDocument json = Description(folder);
        string config = Path.Combine(BaseOf(json), ModelFolder.ConfigName);
        return File.Exists(config) ? ParityFolder.WhyNot(BaseOf(json)) : $"there is no base model {BaseOf(json)}";
    }
}
