using MLComponents.Models;
using MLComponents.Tokenization;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A decoder language model with its tokenizer, on a device.</summary>
internal abstract class DecoderScorer<TModel> : IModelScorer
    where TModel : PretrainedModel
{
    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <param name="model">The model; owned by this object from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="maxLength">Most tokens that the model is to read at once, or null.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length exceeds the model's context.</exception>
    protected DecoderScorer(TModel model, PretrainedTokenizer tokenizer, int? maxLength, string source)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ModelFit.Check(model.Config, tokenizer, maxLength, source);
        model.eval();
        (Model, Tokenizer, Device) = (model, tokenizer, model.parameters().First().device);
    }

    public TModel Model { get; }

    public PretrainedTokenizer Tokenizer { get; }

    /// <summary>Where the model is.</summary>
    protected Device Device { get; }

    public virtual void Save(Action<string, Action<Stream>> saveEntry) => ModelEntries.Save(Model, Tokenizer, saveEntry);

    public virtual void Dispose() => Model.Dispose();
}
