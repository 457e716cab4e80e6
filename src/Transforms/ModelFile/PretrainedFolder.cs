using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Writes a transformer's model and tokenizer as a folder that Hugging Face's libraries load.</summary>
internal static class PretrainedFolder
{
    /// <summary>Writes it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="adapterOnly">Whether to write the adapter in PEFT's form instead of a whole model, into which adapters are merged.</param>
    /// <exception cref="InvalidOperationException">An adapter is asked for, and the model does not have exactly one.</exception>
    public static void Save(PretrainedModel model, PretrainedTokenizer tokenizer, string folder, bool adapterOnly)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (adapterOnly)
        {
            if (model.Adapters.Count != 1)
                throw new InvalidOperationException($"The model has {model.Adapters.Count} adapters; to save an adapter alone it must have one. Train with an adapter, or save the whole model.");
            model.Adapters.Single().Save(folder);
        }
        else if (model.Adapters.Active.Count == 0)
        {
            model.Save(folder);
        }
        else
        {
            using PretrainedModel merged = MergedCopy.Of(model);
            merged.Save(folder);
        }

        tokenizer.Save(folder);
    }
}
