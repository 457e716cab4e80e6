using System.Buffers;
using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A model as Hugging Face's <c>from_pretrained</c> and <c>save_pretrained</c> know it: a folder with a configuration and weights.</summary>
public static class ModelFolder
{
    /// <summary>The configuration's file name.</summary>
    public const string ConfigName = "config.json";

    /// <summary>The file name of weights in one file.</summary>
    public const string WeightsName = "model.safetensors";

    /// <summary>The file name of the index of weights in several files.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private const string GenerationConfigName = "generation_config.json";

    /// <summary>Writes configuration and weights, without adapters. Each file appears only when it is complete; weight files of an earlier save are removed, a <c>generation_config.json</c> that is there stays.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="dtype">The element type to store; the model's own if null.</param>
    /// <param name="maxShardBytes">The most bytes of weights in one file; more are spread over several.</param>
    /// <exception cref="InvalidOperationException">Adapters are merged, or one has changed biases: it would not be the base that is written.</exception>
    public static void Save(PretrainedModel model, string folder, ScalarType? dtype = null, long maxShardBytes = 5_000_000_000)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        model.Adapters.CheckThatBaseIsItself();
        Directory.CreateDirectory(folder);
        ScalarType stored = dtype ?? model.DType;
        List<List<KeyValuePair<string, Tensor>>> shards = Split(model, stored, maxShardBytes);
        string[] names = shards.Count == 1
            ? [WeightsName]
            : [.. Enumerable.Range(1, shards.Count).Select(number => $"model-{number:D5}-of-{shards.Count:D5}.safetensors")];
        for (int shard = 0; shard < names.Length; shard++) SafetensorsWriter.Write(Path.Combine(folder, names[shard]), shards[shard], stored);
        if (names.Length > 1)
        {
            // Readers prefer the single file: beside a new index an old one would be read.
            File.Delete(Path.Combine(folder, WeightsName));
            WriteBytes(folder, IndexName, Index(shards, names, stored));
        }

        WriteBytes(folder, ConfigName, (model.Config with { DType = stored }).ToJson(model.Head));
        if (model.Head == ModelHead.CausalLanguageModel && !File.Exists(Path.Combine(folder, GenerationConfigName)))
            WriteBytes(folder, GenerationConfigName, GenerationConfig(model.Config));
        RemoveStale(folder, names);
    }

    /// <summary>Opens the weights of a folder, in one file or several.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder holds no weights.</exception>
    /// <exception cref="FormatException">A file is broken.</exception>
    internal static TensorSource OpenWeights(string folder)
    {
        if (File.Exists(Path.Combine(folder, WeightsName))) return SafetensorsFile.Open(Path.Combine(folder, WeightsName)).AsSource();
        if (File.Exists(Path.Combine(folder, IndexName))) return new ShardedTensors(Path.Combine(folder, IndexName));
        throw new FileNotFoundException($"{folder} holds no weights; expected {WeightsName} or {IndexName}.", Path.Combine(folder, WeightsName));
    }

    /// <summary>Reads a model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="adapt">Changes the configuration; with other labels than the folder's the head is fresh.</param>
    /// <param name="create">Makes the model, its weights uninitialised.</param>
    /// <param name="options">Element type, device, attention, seed.</param>
    internal static T Load<T>(string folder, Func<DecoderConfig, DecoderConfig> adapt, Func<DecoderConfig, ModelStorage, T> create, ModelStorage options)
        where T : PretrainedModel
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)}; expected a Hugging Face model folder with {ConfigName} and {WeightsName}.");
        DecoderConfig config = DecoderConfig.Load(folder);
        using TensorSource source = OpenWeights(folder);
        return Load(config, adapt, source, create, options);
    }

    /// <summary>Reads a model from a configuration and a stream of safetensors content.</summary>
    internal static T Load<T>(
        ReadOnlySpan<byte> configJson, Stream weights, Func<DecoderConfig, DecoderConfig> adapt, Func<DecoderConfig, ModelStorage, T> create, ModelStorage options)
        where T : PretrainedModel
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var source = new SafetensorsStream(weights, "the model's weights");
        return Load(DecoderConfig.Parse(configJson, "the model's configuration"), adapt, source, create, options);
    }

    private static T Load<T>(
        DecoderConfig stored, Func<DecoderConfig, DecoderConfig> adapt, TensorSource source, Func<DecoderConfig, ModelStorage, T> create, ModelStorage options)
        where T : PretrainedModel
    {
        DecoderConfig config = adapt(stored);
        bool freshHead = !config.LabelNames.Equals(stored.LabelNames);
        // The stored type, as the reference's dtype="auto": what the configuration says, else the first tensor's.
        ScalarType dtype = options.DType ?? config.DType
            ?? source.Entries.FirstOrDefault(entry => entry.DType is ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float64)?.DType
            ?? ScalarType.Float32;
        config = config with { DType = dtype };
        options = options with { DType = dtype };
        CheckpointLoader.CheckLayers(config, source);
        CheckpointMatch match;

        // A model without memory first: sizes that the checkpoint cannot fill are refused before memory is asked for.
        using (T shapes = create(config, options with { Device = META })) match = CheckpointLoader.Match(shapes, source, freshHead);
        T model = create(config, options);
        try
        {
            CheckpointLoader.Fill(model, source, match, options.Seed);
            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static List<List<KeyValuePair<string, Tensor>>> Split(PretrainedModel model, ScalarType stored, long maxShardBytes)
    {
        List<List<KeyValuePair<string, Tensor>>> shards = [[]];
        long bytes = 0;
        foreach (var (name, parameter) in model.BaseParameters())
        {
            long size = parameter.NumberOfElements * SafetensorsType.SizeOf(stored);
            if (bytes > 0 && bytes + size > maxShardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(new(name, parameter));
            bytes += size;
        }

        return shards;
    }

    private static byte[] Index(List<List<KeyValuePair<string, Tensor>>> shards, string[] names, ScalarType stored) => Json(json =>
    {
        long parameters = shards.Sum(shard => shard.Sum(pair => pair.Value.NumberOfElements));
        json.WriteStartObject("metadata");
        json.WriteNumber("total_parameters", parameters);
        json.WriteNumber("total_size", parameters * SafetensorsType.SizeOf(stored));
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach (var (name, shard) in shards.SelectMany((shard, number) => shard.Select(pair => (pair.Key, number))).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            json.WriteString(name, names[shard]);
        json.WriteEndObject();
    });

    private static byte[] GenerationConfig(DecoderConfig config) => Json(json =>
    {
        json.WriteBoolean("_from_model_config", true);
        if (config.BosTokenId is { } bos) json.WriteNumber("bos_token_id", bos);
        if (config.EosTokenIds.Count == 1) json.WriteNumber("eos_token_id", config.EosTokenIds[0]);
        if (config.EosTokenIds.Count > 1)
        {
            json.WriteStartArray("eos_token_id");
            foreach (int id in config.EosTokenIds) json.WriteNumberValue(id);
            json.WriteEndArray();
        }

        if (config.PadTokenId is { } pad) json.WriteNumber("pad_token_id", pad);
    });

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void WriteBytes(string folder, string name, byte[] content) => AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(content));

    private static void RemoveStale(string folder, string[] names)
    {
        if (names.Length == 1) File.Delete(Path.Combine(folder, IndexName));
        foreach (string path in Directory.EnumerateFiles(folder, "model*.safetensors"))
        {
            string name = Path.GetFileName(path);
            if ((name == WeightsName || name.StartsWith("model-", StringComparison.Ordinal)) && !names.Contains(name)) File.Delete(path);
        }
    }
}
