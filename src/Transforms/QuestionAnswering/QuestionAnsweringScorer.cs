using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A question answering model with its tokenizer, on a device.</summary>
internal sealed class QuestionAnsweringScorer : DecoderScorer<QuestionAnsweringModel>
{
    private const int DefaultMaxLength = 384;
    private const int DefaultMaxQuestionLength = 64;

    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <param name="model">The model; owned by this object from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="settings">How long windows and questions are.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A length exceeds the model's context.</exception>
    public QuestionAnsweringScorer(QuestionAnsweringModel model, PretrainedTokenizer tokenizer, QuestionAnsweringSettings settings, string source = "the model")
        : base(model, tokenizer, settings.MaxLength, source)
    {
        int maxLength = settings.MaxLength ?? Math.Min(DefaultMaxLength, model.Config.MaxPositions);
        int question = settings.MaxQuestionLength ?? Math.Min(DefaultMaxQuestionLength, Math.Max(1, maxLength / 3));
        int special = tokenizer.Encode(("", ""), options: null).Ids.Count;
        if (question + special >= maxLength)
            throw new ArgumentOutOfRangeException(nameof(settings), $"MaxLength is {maxLength}, which {question} tokens of a question (MaxQuestionLength) and {special} special tokens fill; expected more.");
        Encoder = new QuestionEncoder(tokenizer, maxLength, question, settings.Stride ?? maxLength / 3);
    }

    public QuestionEncoder Encoder { get; }

    /// <summary>Runs the model once. Called by one thread at a time.</summary>
    /// <param name="rows">Token ids, at least one row and at least one id per row.</param>
    /// <returns>Per row the logits of start and end of its tokens, in turn.</returns>
    public float[][] Forward(IReadOnlyList<int[]> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        using TokenBatch batch = TokenBatch.Create(rows, Model.Config.PadTokenId, Device);
        (Tensor starts, Tensor ends) = Model.forward(batch.InputIds, batch.MaskFor(Model.Config));
        return batch.PerRow(stack([starts, ends], -1).to(ScalarType.Float32).cpu().contiguous(), 2);
    }

    /// <summary>Reads what <see cref="DecoderScorer{TModel}.Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static QuestionAnsweringScorer Read(ModelSource source, QuestionAnsweringSettings settings) => ModelEntries.Read(
        source,
        QuestionAnsweringModel.Create,
        (model, tokenizer) => new QuestionAnsweringScorer(model, tokenizer, settings, "the model file"));
}
