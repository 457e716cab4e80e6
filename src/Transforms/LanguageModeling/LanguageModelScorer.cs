using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A causal language model with its tokenizer, on a device.</summary>
internal sealed class LanguageModelScorer : IDisposable
{
    private readonly Device _device;

    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentException">The length exceeds the model's context, or there is no chat template where one is needed.</exception>
    public LanguageModelScorer(CausalLanguageModel model, PretrainedTokenizer tokenizer, TextLikelihoodSettings settings, int? maxLength = null, string source = "the model")
    {
        ModelFit.Check(model.Config, tokenizer, settings.MaxLength, source);
        model.eval();
        (Model, Tokenizer) = (model, tokenizer);
        _device = model.parameters().First().device;
        Encoder = new LanguageEncoder(tokenizer, settings.Learned, settings.MaxLength ?? maxLength ?? model.Config.MaxPositions, settings.TruncationSide, settings.EndOfText);
    }

    public CausalLanguageModel Model { get; }

    public PretrainedTokenizer Tokenizer { get; }

    public LanguageEncoder Encoder { get; }

    /// <summary>Runs the model once. Called by one thread at a time.</summary>
    /// <param name="rows">Token ids, at least one row and at least one id per row.</param>
    /// <returns>Per row and token its log-probability given those before it, in nats; 0 for the first.</returns>
    public float[][] Forward(IReadOnlyList<int[]> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        using TokenBatch batch = TokenBatch.Create(rows, Model.Config.PadTokenId, _device);
        Tensor said = Model.LogProbabilities(new DecoderInput { InputIds = batch.InputIds, AttentionMask = batch.MaskFor(Model.Config) });
        return batch.PerRow(said.cpu().contiguous(), 1);
    }

    public void Save(Action<string, Action<Stream>> saveEntry) => ModelEntries.Save(Model, Tokenizer, saveEntry);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static LanguageModelScorer Read(Action<string, Action<Stream>> loadEntry, TextLikelihoodSettings settings, Device device) => ModelEntries.Read(
        loadEntry,
        CausalLanguageModel.Create,
        device,
        (model, tokenizer) => new LanguageModelScorer(model, tokenizer, settings, source: "the model file"));

    public void Dispose() => Model.Dispose();
}
