using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MLComponents.Models;

/// <summary>An <c>adapter_config.json</c> of PEFT.</summary>
/// <param name="Options">What it says about the adapter.</param>
/// <param name="TaskType">PEFT's name of the head that the adapter was made for, or null.</param>
/// <param name="Others">The keys that no option stands for, as JSON; they are kept.</param>
/// <param name="Ignored">Those of them that have a value and no effect here.</param>
internal sealed record AdapterConfig(LoraOptions Options, string? TaskType, IReadOnlyDictionary<string, string> Others, IReadOnlyList<string> Ignored)
{
    public const string FileName = "adapter_config.json";

    private const string Kind = "LORA";
    private const string InitializationKey = "init_lora_weights";

    /// <summary>Far more than any such file has.</summary>
    private const long LargestFile = 1 << 24;

    /// <summary>Initialisations that leave the base as it is: what an adapter computes does not depend on how it began.</summary>
    private static readonly string[] s_harmlessInitializations = ["default", "gaussian", "eva", "orthogonal"];

    /// <summary>What a fresh adapter of a head is for.</summary>
    public static string TaskTypeOf(ModelHead head) => head switch
    {
        ModelHead.CausalLanguageModel => "CAUSAL_LM",
        ModelHead.SequenceClassification => "SEQ_CLS",
        ModelHead.TokenClassification => "TOKEN_CLS",
        _ => "QUESTION_ANS",
    };

    /// <summary>Reads the file of a folder.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static AdapterConfig Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no {path}; expected the folder of an adapter, with {FileName}.", path);
        long length = new FileInfo(path).Length;
        if (length > LargestFile) throw new FormatException($"{path}: the file has {length} bytes; expected at most {LargestFile}.");
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads a file's content.</summary>
    /// <exception cref="FormatException">It is broken or contradicts itself.</exception>
    /// <exception cref="NotSupportedException">It asks for something that is not supported.</exception>
    public static AdapterConfig Parse(ReadOnlySpan<byte> json, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException($"{source}: expected a JSON object, found {document.RootElement.ValueKind}.");
            return Read(new ConfigReader(document.RootElement, source));
        }
        catch (JsonException exception)
        {
            throw new FormatException($"{source}: not valid JSON: {exception.Message}", exception);
        }
    }

    /// <summary>The file as PEFT writes it: every key, in order, for inference.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var (key, value) in Values().OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WritePropertyName(key);
                using var document = JsonDocument.Parse(value);
                document.RootElement.WriteTo(json);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static AdapterConfig Read(ConfigReader json)
    {
        string kind = json.StringOrNull("peft_type") ?? throw new FormatException($"{json.Source}: the key peft_type is missing; expected \"{Kind}\".");
        if (kind != Kind) throw new NotSupportedException($"{json.Source}: peft_type is \"{kind}\"; only \"{Kind}\" is supported.");
        AdapterConfigKeys.RefuseUnsupported(json);
        var options = new LoraOptions();
        options.Rank = json.IntOrNull("r") ?? options.Rank;
        options.Alpha = json.DoubleOrNull("lora_alpha") ?? options.Alpha;
        options.Dropout = json.DoubleOrNull("lora_dropout") ?? options.Dropout;
        options.TargetModules = NamesOf(json, "target_modules");
        options.ExcludeModules = NamesOf(json, "exclude_modules");
        options.LayersToTransform = json.Has("layers_to_transform") ? json.Ids("layers_to_transform") : null;
        options.LayersPattern = NamesOf(json, "layers_pattern") is { } pattern ? pattern.Pattern is { } one ? [one] : pattern.Names : null;
        foreach (var (name, value) in NumbersOf(json, "rank_pattern")) options.RankPattern.Add(name, Integer(json, $"rank_pattern of \"{name}\"", value));
        foreach (var (name, value) in NumbersOf(json, "alpha_pattern")) options.AlphaPattern.Add(name, value);
        options.UseRankStabilized = json.Bool("use_rslora", false);
        options.UseDora = json.Bool("use_dora", false);
        options.Bias = json.StringOrNull("bias") switch
        {
            null or "none" => LoraBias.None,
            "all" => LoraBias.All,
            "lora_only" => LoraBias.LoraOnly,
            var other => throw new FormatException($"{json.Source}: bias is \"{other}\"; expected none, all or lora_only."),
        };
        options.ModulesToSave = json.StringsOrNull("modules_to_save");
        options.BaseModel = json.StringOrNull("base_model_name_or_path");
        options.Initialization = InitializationOf(json, out string? otherInitialization);
        string? taskType = json.StringOrNull("task_type");
        json.Has("inference_mode");
        options.Validate(message => new FormatException($"{json.Source}: {message}"));

        Dictionary<string, string> others = new(json.NotAsked());
        string[] ignored = [.. others.Where(pair => !AdapterConfigKeys.IsSilent(pair.Key, pair.Value)).Select(pair => pair.Key)];
        if (otherInitialization is not null) others.Add(InitializationKey, otherInitialization);

        // One item may be written with brackets or without: as it was found.
        foreach (string key in new[] { "layers_pattern", "layers_to_transform" })
            if (json.AnyOrNull(key) is { } value) others.Add(key, value.GetRawText());
        return new AdapterConfig(options, taskType, others, ignored);
    }

    private static ModuleNames? NamesOf(ConfigReader json, string key) =>
        json.AnyOrNull(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array ? ModuleNames.Create([.. json.StringsOrNull(key)!])
        : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } pattern ? ModuleNames.FromString(pattern)
        : throw json.Wrong(key, value, "an array of names or a regular expression");

    private static IEnumerable<(string Name, double Value)> NumbersOf(ConfigReader json, string key)
    {
        if (json.AnyOrNull(key) is not { } value) yield break;
        if (value.ValueKind != JsonValueKind.Object) throw json.Wrong(key, value, "an object of patterns and numbers");
        foreach (JsonProperty property in value.EnumerateObject().DistinctBy(property => property.Name))
        {
            if (property.Value.ValueKind != JsonValueKind.Number) throw json.Wrong($"{key} of \"{property.Name}\"", property.Value, "a number");
            yield return (property.Name, property.Value.GetDouble());
        }
    }

    private static int Integer(ConfigReader json, string what, double value) =>
        value == Math.Truncate(value) && Math.Abs(value) <= int.MaxValue ? (int)value
        : throw new FormatException($"{json.Source}: {what} is {value}; expected an integer.");

    /// <summary>How the adapter began; as JSON where no option says it.</summary>
    private static LoraInitialization InitializationOf(ConfigReader json, out string? other)
    {
        other = null;
        switch (json.AnyOrNull(InitializationKey))
        {
            case null or { ValueKind: JsonValueKind.True }:
                return LoraInitialization.Default;
            case { ValueKind: JsonValueKind.False }:
                return LoraInitialization.Random;
            case { ValueKind: JsonValueKind.String } value when s_harmlessInitializations.Contains(value.GetString()!.ToLowerInvariant()):
                if (value.GetString() == "gaussian") return LoraInitialization.Gaussian;
                other = value.GetRawText();
                return LoraInitialization.Default;
            case { } value:
                throw new NotSupportedException(
                    $"{json.Source}: {InitializationKey} is {value.GetRawText()}; an adapter that began so fits only a base whose weights were changed with it. "
                    + "Convert it with PEFT (path_initial_model_for_weight_conversion of save_pretrained), or merge it into its base there.");
        }
    }

    private IEnumerable<KeyValuePair<string, string>> Values()
    {
        Dictionary<string, string> values = new(AdapterConfigKeys.Neutral)
        {
            ["alpha_pattern"] = Pattern(Options.AlphaPattern, AdapterConfigKeys.IntegerOrFloat),
            ["base_model_name_or_path"] = Text(Options.BaseModel),
            ["bias"] = Text(Options.Bias switch { LoraBias.All => "all", LoraBias.LoraOnly => "lora_only", _ => "none" }),
            ["exclude_modules"] = Names(Options.ExcludeModules),
            ["inference_mode"] = "true",
            [InitializationKey] = Options.Initialization switch { LoraInitialization.Gaussian => Text("gaussian"), LoraInitialization.Random => "false", _ => "true" },
            ["layers_pattern"] = Options.LayersPattern is [var single] ? Text(single) : List(Options.LayersPattern),
            ["layers_to_transform"] = Options.LayersToTransform is { } layers ? JsonSerializer.Serialize(layers) : "null",
            ["lora_alpha"] = AdapterConfigKeys.IntegerOrFloat(Options.Alpha),
            ["lora_dropout"] = AdapterConfigKeys.Float(Options.Dropout),
            ["modules_to_save"] = List(Options.ModulesToSave),
            ["peft_type"] = Text(Kind),
            ["r"] = JsonSerializer.Serialize(Options.Rank),
            ["rank_pattern"] = Pattern(Options.RankPattern, rank => JsonSerializer.Serialize(rank)),
            ["target_modules"] = Names(Options.TargetModules),
            ["task_type"] = Text(TaskType),
            ["use_dora"] = JsonSerializer.Serialize(Options.UseDora),
            ["use_rslora"] = JsonSerializer.Serialize(Options.UseRankStabilized),
        };
        foreach (var (key, value) in Others) values[key] = value;
        return values;

        static string Text(string? value) => JsonSerializer.Serialize(value);

        static string List(IReadOnlyList<string>? names) => JsonSerializer.Serialize(names);

        static string Names(ModuleNames? names) => names?.Pattern is { } pattern ? Text(pattern) : List(names?.Names);

        // In their order, which decides between patterns that match the same module.
        static string Pattern<T>(OrderedDictionary<string, T> pattern, Func<T, string> write) =>
            $"{{{string.Join(",", pattern.Select(pair => $"{Text(pair.Key)}:{write(pair.Value)}"))}}}";
    }
}
