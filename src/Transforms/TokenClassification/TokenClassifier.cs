using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A token classification model with its tokenizer, on a device.</summary>
internal sealed class TokenClassifier : DecoderScorer<TokenClassificationModel>, ITokenScorer
{
    private readonly WordEncoder _encoder;

    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <param name="model">The model; owned by this object from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="settings">How long windows are and how much they share.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length exceeds the model's context.</exception>
    public TokenClassifier(TokenClassificationModel model, PretrainedTokenizer tokenizer, TokenClassificationSettings settings, string source = "the model")
        : base(model, tokenizer, settings.MaxLength, source)
    {
        int maxLength = settings.MaxLength ?? model.Config.MaxPositions;
        _encoder = new WordEncoder(tokenizer, maxLength, settings.Stride ?? maxLength / 4);
    }

    public int OutputCount => Model.Config.LabelCount;

    /// <summary>Most tokens of a window.</summary>
    public int MaxLength => _encoder.MaxLength;

    public TokenizedRow Encode(TokenizedText text) => _encoder.Encode(text);

    public float[][] Forward(IReadOnlyList<int[]> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        using TokenBatch batch = TokenBatch.Create(rows, Model.Config.PadTokenId, Device);
        Tensor logits = Model.forward(batch.InputIds, batch.MaskFor(Model.Config)).to(ScalarType.Float32).cpu().contiguous();
        return batch.PerRow(logits, OutputCount);
    }

    /// <summary>Reads what <see cref="DecoderScorer{TModel}.Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static TokenClassifier Read(ModelSource source, TokenClassificationSettings settings) => ModelEntries.Read(
        source,
        TokenClassificationModel.Create,
        (model, tokenizer) => new TokenClassifier(model, tokenizer, settings, "the model file"));
}
