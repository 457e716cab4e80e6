using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>A model and its tokenizer as entries of a model file: the files that a Hugging Face folder would hold.</summary>
internal static class ModelEntries
{
    private const string FilesEntry = "tokenizer-files.txt";

    /// <summary>More than any configuration or list of names needs; larger entries are damaged or hostile.</summary>
    private const int MostConfigBytes = 1 << 24;

    /// <summary>Several times the largest published tokenizer.</summary>
    private const int MostTokenizerBytes = 1 << 28;

    private const int MostTokenizerFiles = 16;

    /// <summary>Writes everything needed to build the model again.</summary>
    /// <param name="model">The model, without adapters.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="saveEntry">Adds an entry: its name, and what writes its content.</param>
    public static void Save(PretrainedModel model, PretrainedTokenizer tokenizer, Action<string, Action<Stream>> saveEntry)
    {
        saveEntry(FilesEntry, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', tokenizer.Files.Keys))));
        foreach ((string name, byte[] content) in tokenizer.Files) saveEntry(name, stream => stream.Write(content));
        saveEntry(ModelFolder.ConfigName, stream => stream.Write(model.Config.ToJson(model.Head)));
        saveEntry(ModelFolder.WeightsName, stream => model.SaveWeights(stream));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="loadEntry">Reads an entry by its name.</param>
    /// <param name="load">Makes the model from the content of its configuration and of its weights.</param>
    /// <param name="wrap">Makes the scorer, which owns the model from then on.</param>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static TScorer Read<TModel, TScorer>(
        Action<string, Action<Stream>> loadEntry, Func<byte[], Stream, TModel> load, Func<TModel, PretrainedTokenizer, TScorer> wrap)
        where TModel : PretrainedModel
    {
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
            loadEntry(ModelFolder.WeightsName, stream => model = load(config, stream));
            if (model!.Report?.Fresh is { Count: > 0 } missing) throw new FormatException($"The model file's weights have no {string.Join(", ", missing)}.");
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
}
