using System.Text.Json;
using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>A training run of the reference: where it starts, what it reads, and what came of every step.</summary>
internal sealed class Trajectory
{
    private readonly string _folder;
    private readonly JsonElement _json;

    private Trajectory(string folder)
    {
        _folder = folder;
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "trajectory.json")));
        _json = document.RootElement.Clone();
    }

    public string Name => Path.GetFileName(_folder);

    /// <summary>The folder of the model.</summary>
    public string Start => Path.Combine(TestPaths.Fixtures, StartParts[0]);

    /// <summary>The folder of the adapter that is trained, or null where the model itself is.</summary>
    public string? Adapter => StartParts.Length > 1 ? Path.Combine(_folder, StartParts[1]) : null;

    /// <summary>float32, or how bfloat16 was used: "autocast" over float32 weights, or "weights".</summary>
    public string Precision => Text("precision");

    public int Steps => _json.GetProperty("steps").GetInt32();

    public double WeightDecay => Optimizer("weight_decay");

    public double MaxGradientNorm => _json.GetProperty("clip_grad_norm").GetDouble();

    public double[] Losses => Numbers("loss_per_step");

    public double[] Norms => Numbers("grad_norm_before_clipping_per_step");

    public double[] LearningRatesPerStep => Numbers("lr_per_step");

    public int[] PartSizes => Array.ConvertAll(Numbers("micro_batch_sizes"), size => (int)size);

    public float[]? ClassWeights => IsNull("class_weights") ? null : Array.ConvertAll(Numbers("class_weights"), weight => (float)weight);

    public double LabelSmoothing => _json.GetProperty("label_smoothing").GetDouble();

    public string[] Decaying => Texts("weight_decay_parameters");

    public string[] NotDecaying => Texts("no_weight_decay_parameters");

    /// <summary>Why it cannot be replayed, or null.</summary>
    public string? WhyNot
    {
        get
        {
            if (Optimizer().GetProperty("name").GetString() != "AdamW") return $"the trainer has no optimizer {Optimizer().GetProperty("name")}";
            string config = Path.Combine(Start, ModelFolder.ConfigName);
            if (!File.Exists(config)) return $"it starts from {Text("start_from")}, which is no folder with a {ModelFolder.ConfigName}";
            using var json = JsonDocument.Parse(File.ReadAllBytes(config));
            string? family = json.RootElement.GetProperty("model_type").GetString();
            return DecoderFamily.All.Any(known => known.ModelType == family) ? null : $"the family {family} is not supported yet";
        }
    }

    public static IEnumerable<Trajectory> All()
    {
        string root = Path.Combine(TestPaths.Fixtures, "train");
        if (!Directory.Exists(root)) return [];
        return from folder in Directory.GetDirectories(root).Order(StringComparer.Ordinal)
               where File.Exists(Path.Combine(folder, "trajectory.json"))
               select new Trajectory(folder);
    }

    /// <summary>The folder of the adapter that the run has ended with, or null.</summary>
    public string? FinalAdapter => Adapter is null || !Directory.Exists(Path.Combine(_folder, "final_adapter")) ? null : Path.Combine(_folder, "final_adapter");

    /// <summary>The model that the run starts with, as it is trained.</summary>
    public PretrainedModel LoadModel(ScalarType? dtype = null)
    {
        PretrainedModel model = Text("class") switch
        {
            "ForSequenceClassification" => SequenceClassificationModel.Load(Start, dtype: dtype),
            "ForTokenClassification" => TokenClassificationModel.Load(Start, dtype: dtype),
            "ForQuestionAnswering" => QuestionAnsweringModel.Load(Start, dtype: dtype),
            "ForCausalLM" => CausalLanguageModel.Load(Start, dtype: dtype),
            string other => throw new NotSupportedException($"No model is known for {other}."),
        };
        if (Adapter is { } adapter) model.Adapters.Load(adapter, isTrainable: true);
        return model;
    }

    /// <summary>What the run calls a parameter: the reference keeps a model with an adapter inside two others.</summary>
    public string NameOf(string parameter) => Adapter is null ? parameter : $"base_model.model.{parameter}";

    public static Trajectory Named(string name) => new(Path.Combine(TestPaths.Fixtures, "train", name));

    public LearningRates Rates()
    {
        JsonElement schedule = _json.GetProperty("schedule");
        return new LearningRates(Optimizer("lr"), Enum.Parse<LearningRateSchedule>(schedule.GetProperty("name").GetString()!, ignoreCase: true),
            schedule.GetProperty("warmup_steps").GetInt64(), schedule.GetProperty("total_steps").GetInt64());
    }

    public FusedAdamW CreateOptimizer(PretrainedModel model, bool masterWeights)
    {
        double[] betas = [.. Optimizer().GetProperty("betas").EnumerateArray().Select(beta => beta.GetDouble())];
        return new FusedAdamW(ParameterGroups.Of(model, WeightDecay), masterWeights, betas[0], betas[1], Optimizer("eps"), seed: 1);
    }

    public SafetensorsFile OpenTensors() => SafetensorsFile.Open(Path.Combine(_folder, "trajectory.safetensors"));

    /// <summary>Whether another run has read the same batches from the same start, with the same loss.</summary>
    public bool IsTwinOf(Trajectory other)
    {
        string[] keys = ["start_from", "class", "steps", "clip_grad_norm", "schedule", "micro_batch_sizes", "class_weights", "label_smoothing"];
        if (keys.Any(key => _json.GetProperty(key).GetRawText() != other._json.GetProperty(key).GetRawText())) return false;
        if (Optimizer("lr") != other.Optimizer("lr") || WeightDecay != other.WeightDecay) return false;
        using SafetensorsFile mine = OpenTensors(), others = other.OpenTensors();
        return new[] { "batch.input_ids", "batch.labels" }.All(name =>
        {
            using Tensor one = mine.Read(name), another = others.Read(name);
            return one.shape.SequenceEqual(another.shape) && one.data<long>().SequenceEqual(another.data<long>());
        });
    }

    /// <summary>The batches of rows under a name: <c>[steps, rows, seq]</c>, or <c>[rows, seq]</c> for one.</summary>
    public static HeadRow[][] Batches(SafetensorsFile tensors, string name)
    {
        long[][][] ids = Read("input_ids"), masks = Read("attention_mask");
        Dictionary<string, long[][][]> labels = tensors.Names.Select(key => key.Split('.', 2))
            .Where(parts => parts[0] == name && parts[^1] is not ("input_ids" or "attention_mask")).ToDictionary(parts => parts[1], parts => Read(parts[1]));
        return [.. ids.Select((batch, step) => batch.Select((row, place) => new HeadRow(row, masks[step][place], labels.ToDictionary(pair => pair.Key, pair => pair.Value[step][place]))).ToArray())];

        long[][][] Read(string key)
        {
            using Tensor stored = tensors.Read($"{name}.{key}");
            long steps = name == "probe" ? 1 : stored.shape[0], rows = name == "probe" ? stored.shape[0] : stored.shape[1];
            long[] values = stored.data<long>().ToArray();
            return [.. values.Chunk((int)(values.Length / steps)).Select(batch => batch.Chunk((int)(batch.Length / rows)).ToArray())];
        }
    }

    /// <summary>What a run starts from reads "model" or "model plus adapter".</summary>
    private string[] StartParts => Text("start_from").Split(" plus ");

    private JsonElement Optimizer() => _json.GetProperty("optimizer");

    private double Optimizer(string key) => Optimizer().GetProperty(key).GetDouble();

    private bool IsNull(string key) => !_json.TryGetProperty(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null;

    private string Text(string key) => _json.GetProperty(key).GetString()!;

    private string[] Texts(string key) => [.. _json.GetProperty(key).EnumerateArray().Select(value => value.GetString()!)];

    private double[] Numbers(string key) => [.. _json.GetProperty(key).EnumerateArray().Select(value => value.GetDouble())];
}
