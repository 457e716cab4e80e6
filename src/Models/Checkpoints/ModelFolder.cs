using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A model as Hugging Face's <c>from_pretrained</c> and <c>save_pretrained</c> know it: a folder with a configuration and weights.</summary>
public static partial class ModelFolder
{
    /// <summary>The configuration's file name.</summary>
    public const string ConfigName = "config.json";

    /// <summary>The file name of weights in one file.</summary>
    public const string WeightsName = "model.safetensors";

    /// <summary>The file name of the index of weights in several files.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private const string TorchName = "pytorch_model.bin";
    private const string TorchIndexName = "pytorch_model.bin.index.json";

    /// <summary>
    /// Writes configuration and weights, without adapters, and for a causal language model the <c>generation_config.json</c> that it was loaded with; where it has none, one that is there
    /// stays. Weight files of an earlier save are removed. A process that ends while it saves leaves a folder with all of the old files or all of the new
    /// ones, or one without a configuration, which nobody reads.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="dtype">The element type to store; the model's own if null.</param>
    /// <param name="maxShardBytes">The most bytes of weights in one file; more are spread over several. A larger tensor has a file of its own.</param>
    /// <exception cref="InvalidOperationException">Adapters are merged, or one has changed biases: it would not be the base that is written.</exception>
    public static void Save(PretrainedModel model, string folder, ScalarType? dtype = null, long maxShardBytes = 5_000_000_000)
    {
        using FolderUpdate update = Prepare(model, folder, dtype, maxShardBytes);
        update.Commit();
    }

    /// <summary>Writes all files of a save under other names.</summary>
    internal static FolderUpdate Prepare(PretrainedModel model, string folder, ScalarType? dtype, long maxShardBytes)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        model.Adapters.CheckThatBaseIsItself();
        Directory.CreateDirectory(folder);
        ScalarType stored = dtype ?? model.DType;
        WeightShards shards = WeightShards.Of(model, stored, maxShardBytes);
        var update = new FolderUpdate(folder, ConfigName, name => name is WeightsName or IndexName || ShardName().IsMatch(name));
        try
        {
            foreach (var (name, tensors) in shards.Files) update.Add(name, stream => SafetensorsWriter.Write(stream, tensors, stored));
            if (shards.Files.Count > 1) update.Add(IndexName, stream => stream.Write(shards.Index()));
            if (model.Head == ModelHead.CausalLanguageModel && (model.GenerationConfigJson is not null || !File.Exists(Path.Combine(folder, GenerationConfigFile.Name))))
                update.Add(GenerationConfigFile.Name, stream => stream.Write(model.GenerationConfigJson ?? GenerationConfigFile.Default(model.Config)));
            update.Add(ConfigName, stream => stream.Write((model.Config with { DType = stored }).ToJson(model.Head)));
            return update;
        }
        catch
        {
            update.Dispose();
            throw;
        }
    }

    /// <summary>Opens the weights of a folder, in one file or several, safetensors before PyTorch's own form as the reference does.</summary>
    /// <exception cref="FileNotFoundException">The folder holds no weights, or an index names a file that does not exist.</exception>
    /// <exception cref="FormatException">A file is broken.</exception>
    /// <exception cref="NotSupportedException">A file is in a form, or names classes or functions, that are not read.</exception>
    internal static TensorSource OpenWeights(string folder)
    {
        if (File.Exists(Path.Combine(folder, WeightsName))) return OpenSafetensors(Path.Combine(folder, WeightsName));
        if (File.Exists(Path.Combine(folder, IndexName))) return new ShardedTensors(Path.Combine(folder, IndexName), OpenSafetensors);
        if (File.Exists(Path.Combine(folder, TorchName))) return TorchFile.Open(Path.Combine(folder, TorchName));
        if (File.Exists(Path.Combine(folder, TorchIndexName))) return new ShardedTensors(Path.Combine(folder, TorchIndexName), TorchFile.Open);
        throw new FileNotFoundException(
            $"{folder} holds no weights; expected {WeightsName}, {IndexName}, {TorchName} or {TorchIndexName}.", Path.Combine(folder, WeightsName));
    }

    /// <summary>Reads a model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="adapt">Changes the configuration; with other labels than the folder's the head is fresh.</param>
    /// <param name="create">Makes the model, its weights uninitialised.</param>
    /// <param name="options">Element type, device, attention, seed.</param>
    internal static T Load<T>(string folder, Func<DecoderConfig, DecoderConfig> adapt, Func<DecoderConfig, WeightPlacement, T> create, WeightPlacement options)
        where T : PretrainedModel
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)}; expected a Hugging Face model folder with {ConfigName} and {WeightsName}.");
        DecoderConfig config = DecoderConfig.Load(folder);
        byte[]? generation = typeof(T) == typeof(CausalLanguageModel) ? GenerationConfigFile.Read(folder) : null;
        using TensorSource source = OpenWeights(folder);
        T model = Load(config, adapt, source, create, options);
        model.GenerationConfigJson = generation;
        model.FolderName = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        return model;
    }

    /// <summary>Reads a model from a configuration and a stream of safetensors content.</summary>
    internal static T Load<T>(
        ReadOnlySpan<byte> configJson, Stream weights, Func<DecoderConfig, DecoderConfig> adapt, Func<DecoderConfig, WeightPlacement, T> create, WeightPlacement options)
        where T : PretrainedModel
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var source = new SafetensorsStream(weights, "the model's weights");
        return Load(DecoderConfig.Parse(configJson, "the model's configuration"), adapt, source, create, options);
    }

    private static T Load<T>(
        DecoderConfig stored, Func<DecoderConfig, DecoderConfig> adapt, TensorSource source, Func<DecoderConfig, WeightPlacement, T> create, WeightPlacement options)
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
        if (!options.IgnoreMismatchedSizes) CheckpointLoader.CheckLayers(config, source);
        CheckpointMatch match;

        // A model without memory first: sizes that the checkpoint cannot fill are refused before memory is asked for.
        using (T shapes = create(config, options with { Device = META })) match = CheckpointLoader.Match(shapes, source, freshHead, options.IgnoreMismatchedSizes);
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

    private static TensorSource OpenSafetensors(string path) => SafetensorsFile.Open(path).AsSource();

    [GeneratedRegex(@"^model-\d{5}-of-\d{5}\.safetensors\z", RegexOptions.CultureInvariant)]
    private static partial Regex ShardName();
}
