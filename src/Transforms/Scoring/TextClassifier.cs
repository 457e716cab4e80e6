using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A sequence classification model with its tokenizer, on a device.</summary>
internal sealed class TextClassifier : ITextScorer
{
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
        ModelFit.Check(config, tokenizer, maxLength, source);
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

    /// <summary>Whether the tokenizer puts anything between the two texts of a pair.</summary>
    public bool SeparatesPairs => _encoder.SeparatesPairs;

    public EncodedText Encode(TextInput input) => _encoder.Encode(input);

    public float[][] Forward(IReadOnlyList<int[]> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        using TokenBatch batch = TokenBatch.Create(rows, PadId, _device);
        float[] logits = Model.ForwardPooled(batch.InputIds, batch.LastPositions).to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        return [.. logits.Chunk(OutputCount)];
    }

    public void Save(Action<string, Action<Stream>> saveEntry) => ModelEntries.Save(Model, Tokenizer, saveEntry);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static TextClassifier Read(Action<string, Action<Stream>> loadEntry, SequenceClassificationSettings settings, Device device) => ModelEntries.Read(
        loadEntry,
        SequenceClassificationModel.Create,
        device,
        (model, tokenizer) => new TextClassifier(model, tokenizer, settings.MaxLength, settings.TruncationSide, "the model file"));

    public void Dispose() => Model.Dispose();
}
