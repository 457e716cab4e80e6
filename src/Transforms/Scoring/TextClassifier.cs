using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A sequence classification model with its tokenizer, on a device.</summary>
internal sealed class TextClassifier : DecoderScorer<SequenceClassificationModel>, ITextScorer
{
    private readonly TextEncoder _encoder;

    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <param name="model">The model; owned by this object from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="maxLength">Most tokens of a text; null for the model's context length.</param>
    /// <param name="side">Which part of a longer text is cut.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length exceeds the model's context.</exception>
    public TextClassifier(SequenceClassificationModel model, PretrainedTokenizer tokenizer, int? maxLength, TruncationSide side, string source = "the model")
        : base(model, tokenizer, maxLength, source)
    {
        DecoderConfig config = model.Config;
        _encoder = new TextEncoder(tokenizer, maxLength ?? config.MaxPositions, side);
        PadId = (config.PadTokenId ?? tokenizer.PadTokenId) is { } pad && pad >= 0 && pad < config.VocabularySize ? pad : null;
    }

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
        using TokenBatch batch = TokenBatch.Create(rows, PadId, Device);
        float[] logits = Model.ForwardPooled(batch.InputIds, batch.LastPositions).to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        return [.. logits.Chunk(OutputCount)];
    }

    /// <summary>Reads what <see cref="DecoderScorer{TModel}.Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static TextClassifier Read(ModelSource source, SequenceClassificationSettings settings) => ModelEntries.Read(
        source,
        SequenceClassificationModel.Create,
        (model, tokenizer) => new TextClassifier(model, tokenizer, settings.MaxLength, settings.TruncationSide, "the model file"));
}
