using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Whether a model, a tokenizer and a length fit each other.</summary>
internal static class ModelFit
{
    /// <summary>Throws where they do not.</summary>
    /// <param name="config">The model.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="maxLength">Most tokens that the model is to read at once, or null.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length exceeds the model's context.</exception>
    public static void Check(DecoderConfig config, PretrainedTokenizer tokenizer, int? maxLength, string source)
    {
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new FormatException($"The tokenizer of {source} has ids up to {tokenizer.VocabularySize - 1}, the model embeddings for {config.VocabularySize} (vocab_size): they do not belong together.");
        if (maxLength > config.MaxPositions)
            throw new ArgumentOutOfRangeException(nameof(maxLength), maxLength, $"MaxLength is {maxLength}, the model's context has {config.MaxPositions} tokens (max_position_embeddings).");
    }
}
