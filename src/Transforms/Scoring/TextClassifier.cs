using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A sequence classification model with its tokenizer, on a device.</summary>
internal sealed class TextClassifier : ITextScorer
{
    private const string FilesEntry = "tokenizer-files.txt";

    /// <summary>More than any configuration or list of names needs; larger entries are damaged or hostile.</summary>
    private const int MostConfigBytes = 1 << 24;

    /// <summary>Several times the largest published tokenizer.</summary>
    private const int MostTokenizerBytes = 1 << 28;

    private const int MostTokenizerFiles = 16;

    private readonly TextEncoder _encoder;
    private readonly Device _device;
    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <param name="model">The model; owned by this object from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="maxLength">Most tokens of a text; null for the model's context length.</param>
    /// <param name="side">Which part of a longer text is cut.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length exceeds the model's context.</exception>
    public TextClassifier(SequenceClassificationModel model, PretrainedTokenizer tokenizer, int? maxLength, TruncationSide side, string source = "the model")
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        DecoderConfig config = model.Config;
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new FormatException($"The tokenizer of {source} has ids up to {tokenizer.VocabularySize - 1}, the model embeddings for {config.VocabularySize} (vocab_size): they do not belong together.");
        if (maxLength > config.MaxPositions)
            throw new ArgumentOutOfRangeException(nameof(maxLength), maxLength, $"MaxLength is {maxLength}, the model's context has {config.MaxPositions} tokens (max_position_embeddings).");
        model.eval();
        Model = model;
        Tokenizer = tokenizer;
        _encoder = new TextEncoder(tokenizer, maxLength ?? config.MaxPositions, side);
        _device = model.parameters().First().device;
        PadId = (config.PadTokenId ?? tokenizer.PadTokenId) is { } pad && pad >= 0 && pad < config.VocabularySize ? pad : null;
    }

    public SequenceClassificationModel Model { get; }

    public PretrainedTokenizer Tokenizer { get; }

    /// <summary>The token that shorter rows of a batch are filled up with, or null where neither model nor tokenizer name one.</summary>
    public int? PadId { get; }

    public int OutputCount => Model.Config.LabelCount;

    public int MaxLength => _encoder.MaxLength;

    public EncodedText Encode(ReadOnlySpan<char> text) => _encoder.Encode(text);

    public float[][] Forward(IReadOnlyList<int[]> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        using TokenBatch batch = TokenBatch.Create(rows, PadId, _device);
        float[] logits = Model.ForwardPooled(batch.InputIds, batch.LastPositions).to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        return [.. logits.Chunk(OutputCount)];
    }

    public void Save(Action<string, Action<Stream>> saveEntry)
    {
        saveEntry(FilesEntry, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', Tokenizer.Files.Keys))));
        foreach ((string name, byte[] content) in Tokenizer.Files) saveEntry(name, stream => stream.Write(content));
        saveEntry(ModelFolder.ConfigName, stream => stream.Write(Model.Config.ToJson(Model.Head)));
        saveEntry(ModelFolder.WeightsName, stream => Model.SaveWeights(stream));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static TextClassifier Read(Action<string, Action<Stream>> loadEntry, SequenceClassificationSettings settings, Device device)
    {
        string[] names = System.Text.Encoding.UTF8.GetString(ReadAll(loadEntry, FilesEntry, MostConfigBytes)).Split('\n');
        if (names.Length > MostTokenizerFiles || names.Any(name => name.Length == 0 || Path.GetFileName(name) != name || name.Contains("..", StringComparison.Ordinal)))
            throw new FormatException($"The model file's list of tokenizer files is damaged: {names.Length} names, the first '{names[0]}'.");
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string name in names) files[name] = ReadAll(loadEntry, name, MostTokenizerBytes);
        byte[] config = ReadAll(loadEntry, ModelFolder.ConfigName, MostConfigBytes);

        SequenceClassificationModel? model = null;
        try
        {
            PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(files);
            loadEntry(ModelFolder.WeightsName, stream => model = SequenceClassificationModel.Load(config, stream, device: device));
            if (model!.Report?.Fresh is { Count: > 0 } missing) throw new FormatException($"The model file's weights have no {string.Join(", ", missing)}.");
            return new TextClassifier(model, tokenizer, settings.MaxLength, settings.TruncationSide, "the model file");
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

    public void Dispose() => Model.Dispose();

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
