using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A causal language model with its tokenizer, on a device.</summary>
internal sealed class LanguageModelScorer : DecoderScorer<CausalLanguageModel>
{
    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentException">The length exceeds the model's context, or there is no chat template where one is needed.</exception>
    public LanguageModelScorer(CausalLanguageModel model, PretrainedTokenizer tokenizer, TextLikelihoodSettings settings, int? maxLength = null, string source = "the model")
        : base(model, tokenizer, settings.MaxLength, source) =>
        Encoder = new LanguageEncoder(tokenizer, settings.Learned, settings.MaxLength ?? maxLength ?? model.Config.MaxPositions, settings.TruncationSide, settings.EndOfText);

    public LanguageEncoder Encoder { get; }

    /// <summary>Runs the model once. Called by one thread at a time.</summary>
    /// <param name="rows">Token ids, at least one row and at least one id per row.</param>
    /// <returns>Per row and token its log-probability given those before it, in nats; 0 for the first.</returns>
    public float[][] Forward(IReadOnlyList<int[]> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        using TokenBatch batch = TokenBatch.Create(rows, Model.Config.PadTokenId, Device);
        Tensor said = Model.LogProbabilities(new DecoderInput { InputIds = batch.InputIds, AttentionMask = batch.MaskFor(Model.Config) });
        return batch.PerRow(said.cpu().contiguous(), 1);
    }

    /// <summary>Reads what <see cref="DecoderScorer{TModel}.Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static LanguageModelScorer Read(ModelSource source, TextLikelihoodSettings settings) => ModelEntries.Read(
        source,
        CausalLanguageModel.Create,
        (model, tokenizer) => new LanguageModelScorer(model, tokenizer, settings, source: "the model file"));
}
