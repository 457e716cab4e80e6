using System.Text.Json;
using MLComponents.Models;
using MLComponents.Tokenization;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A model, its adapters and its tokenizer as entries of a model file: the files that Hugging Face folders would hold.</summary>
internal static class ModelEntries
{
    /// <summary>A folder in which base models are looked for, too.</summary>
    public const string FolderVariable = "MLCOMPONENTS_BASE_MODELS";

    private const string FilesEntry = "tokenizer-files.txt", ContentEntry = "content.json";

    private const int MostAdapters = 1000;

    /// <summary>More than any configuration or list of names needs; larger entries are damaged or hostile.</summary>
    private const int MostConfigBytes = 1 << 24;

    /// <summary>Several times the largest published tokenizer.</summary>
    private const int MostTokenizerBytes = 1 << 28;

    private const int MostTokenizerFiles = 16;

    /// <summary>Writes everything needed to build the model again.</summary>
    /// <param name="model">The model. Where it has an <see cref="PretrainedModel.AdapterBase"/>, its own weights are left out.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="saveEntry">Adds an entry: its name, and what writes its content.</param>
    public static void Save(PretrainedModel model, PretrainedTokenizer tokenizer, Action<string, Action<Stream>> saveEntry)
    {
        saveEntry(FilesEntry, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', tokenizer.Files.Keys))));
        foreach ((string name, byte[] file) in tokenizer.Files) saveEntry(name, stream => stream.Write(file));
        saveEntry(ModelFolder.ConfigName, stream => stream.Write(model.Config.ToJson(model.Head)));
        LoraAdapter[] adapters = [.. model.Adapters];
        var content = new Content([.. adapters.Select(adapter => adapter.Name)], [.. model.Adapters.Active], model.AdapterBase, model.DType == ScalarType.BFloat16);
        saveEntry(ContentEntry, stream => JsonSerializer.Serialize(stream, content));
        // With adapters, biases that they have changed are written as they are: the adapters have the same ones.
        if (adapters.Length == 0 || model.Adapters.Merged.Count > 0) saveEntry(ModelFolder.WeightsName, stream => model.SaveWeights(stream));
        else if (model.AdapterBase is null) saveEntry(ModelFolder.WeightsName, stream => SafetensorsWriter.Write(stream, model.BaseParameters().Select(item => KeyValuePair.Create(item.Name, (Tensor)item.Parameter))));
        for (int i = 0; i < adapters.Length; i++)
        {
            LoraAdapter adapter = adapters[i];
            saveEntry(ConfigEntry(i), stream => stream.Write(adapter.ToJson()));
            saveEntry(WeightsEntry(i), adapter.SaveWeights);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="source">The model file.</param>
    /// <param name="create">Makes the model of a configuration, without weights.</param>
    /// <param name="wrap">Makes the scorer, which owns the model from then on.</param>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    /// <exception cref="DirectoryNotFoundException">The base model that the file has only adapters for is nowhere to be found.</exception>
    /// <exception cref="InvalidOperationException">The base model has other weights than when the adapters were trained.</exception>
    public static TScorer Read<TModel, TScorer>(
        ModelSource source, Func<DecoderConfig, WeightPlacement, TModel> create, Func<TModel, PretrainedTokenizer, TScorer> wrap)
        where TModel : PretrainedModel
    {
        Action<string, Action<Stream>> loadEntry = source.LoadEntry;
        Device device = source.Device;
        string[] names = System.Text.Encoding.UTF8.GetString(ReadAll(loadEntry, FilesEntry, MostConfigBytes)).Split('\n');
        if (names.Length > MostTokenizerFiles || names.Any(name => name.Length == 0 || Path.GetFileName(name) != name || name.Contains("..", StringComparison.Ordinal)))
            throw new FormatException($"The model file's list of tokenizer files is damaged: {names.Length} names, the first '{names[0]}'.");
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string name in names) files[name] = ReadAll(loadEntry, name, MostTokenizerBytes);
        byte[] config = ReadAll(loadEntry, ModelFolder.ConfigName, MostConfigBytes);

        TModel? model = null;
        try
        {
            PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(files);
            Content content = ReadContent(loadEntry);
            if (content.Base is { } adapterBase)
            {
                model = LoadBase(config, adapterBase, create, new WeightPlacement(content.IsBFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, device, AttentionImplementation.ScaledDotProduct, 0));
            }
            else
            {
                var placement = new WeightPlacement(null, device, AttentionImplementation.ScaledDotProduct, 0);
                loadEntry(ModelFolder.WeightsName, stream => model = ModelFolder.Load(config, stream, static stored => stored, create, placement));
                if (model!.Report?.Fresh is { Count: > 0 } missing) throw new FormatException($"The model file's weights have no {string.Join(", ", missing)}.");
            }

            for (int i = 0; i < content.Adapters.Count; i++)
            {
                byte[] adapter = ReadAll(loadEntry, ConfigEntry(i), MostConfigBytes);
                string name = content.Adapters[i];
                loadEntry(WeightsEntry(i), stream => model.Adapters.Load(adapter, stream, name));
            }

            if (content.Adapters.Count > 0) model.Adapters.Activate([.. content.Active]);
            return wrap(model, tokenizer);
        }
        catch (ArgumentException error)
        {
            model?.Dispose();
            throw new FormatException($"The model file is damaged: {error.Message}", error);
        }
        catch
        {
            model?.Dispose();
            throw;
        }
    }

    /// <summary>The whole of an entry that holds a configuration.</summary>
    public static byte[] ReadAll(Action<string, Action<Stream>> loadEntry, string name) => ReadAll(loadEntry, name, MostConfigBytes);

    private static string ConfigEntry(int adapter) => $"adapter_config.{adapter}.json";

    private static string WeightsEntry(int adapter) => $"adapter_model.{adapter}.safetensors";

    private static Content ReadContent(Action<string, Action<Stream>> loadEntry)
    {
        try
        {
            Content? content = JsonSerializer.Deserialize<Content>(ReadAll(loadEntry, ContentEntry, MostConfigBytes));
            return content is { Adapters.Count: <= MostAdapters, Active: not null } ? content : throw new JsonException("unlikely content");
        }
        catch (JsonException error)
        {
            throw new FormatException($"The model file's entry '{ContentEntry}' is damaged: {error.Message}", error);
        }
    }

    private static TModel LoadBase<TModel>(byte[] config, AdapterBase adapterBase, Func<DecoderConfig, WeightPlacement, TModel> create, WeightPlacement placement)
        where TModel : PretrainedModel
    {
        DecoderConfig own = DecoderConfig.Parse(config);
        TModel model = adapterBase.Folder is null
            ? TinyDecoder.Load(_ => own, create, placement)
            : ModelFolder.Load(FolderOf(adapterBase.Folder), _ => own, create, placement);
        string found = AdapterBase.FingerprintOf(model);
        if (found == adapterBase.Fingerprint)
        {
            model.AdapterBase = adapterBase;
            return model;
        }

        model.Dispose();
        throw new InvalidOperationException(
            $"The model file has only an adapter, which was trained on a base model with the fingerprint {adapterBase.Fingerprint}; the one in {adapterBase.Folder ?? "this library"} has {found}. "
            + $"Put the base model back that it was trained on, or train with {nameof(ModelStorage)}.{nameof(ModelStorage.Embedded)}.");
    }

    private static string FolderOf(string stored)
    {
        if (Directory.Exists(stored)) return stored;
        string? shelf = Environment.GetEnvironmentVariable(FolderVariable);
        string? other = string.IsNullOrEmpty(shelf) ? null : Path.Combine(shelf, Path.GetFileName(Path.TrimEndingDirectorySeparator(stored)));
        if (other is not null && Directory.Exists(other)) return other;
        throw new DirectoryNotFoundException(
            $"The model file has only an adapter; its base model was in {stored}, which is not there{(other is null ? "" : $", and neither is {other}")}. "
            + $"Put it there, or set the environment variable {FolderVariable} to the folder that holds it.");
    }

    private static byte[] ReadAll(Action<string, Action<Stream>> loadEntry, string name, int most)
    {
        byte[] content = [];
        loadEntry(name, stream =>
        {
            long length = stream.Length - stream.Position;
            if (length > most) throw new FormatException($"The model file's entry '{name}' has {length} bytes; at most {most} are expected.");
            content = new byte[length];
            stream.ReadExactly(content);
        });
        return content;
    }

    /// <summary>What a model file holds of a model.</summary>
    /// <param name="Adapters">The names of its adapters, in the order of their entries.</param>
    /// <param name="Active">Those that it computes with.</param>
    /// <param name="Base">The model that its own weights are taken from, or null where they are in the file.</param>
    /// <param name="IsBFloat16">The element type of its weights: BFloat16, else Float32.</param>
    private sealed record Content(IReadOnlyList<string> Adapters, IReadOnlyList<string> Active, AdapterBase? Base, bool IsBFloat16);
}
