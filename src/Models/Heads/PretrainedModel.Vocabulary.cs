namespace MLComponents.Models;

/// <content>The size of the vocabulary.</content>
public abstract partial class PretrainedModel
{
    /// <summary>
    /// Gives the model another number of token ids, for tokens that were added to its tokenizer. Rows of new ids are the mean of those there are; rows that
    /// are cut off are lost. Optimizers that were made before have to be made again.
    /// </summary>
    /// <param name="vocabularySize">The number of ids that are needed.</param>
    /// <param name="multipleOf">The number is rounded up to a multiple of this: matrix products like 8 or 64.</param>
    /// <returns>The number of ids that the model has then.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    /// <exception cref="ArgumentException">The id of a special token would be cut off.</exception>
    public int ResizeTokenEmbeddings(int vocabularySize, int multipleOf = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(multipleOf, 1);
        int size = checked((vocabularySize + multipleOf - 1) / multipleOf * multipleOf);
        foreach (int id in (int[])[.. Config.EosTokenIds, Config.PadTokenId ?? 0, Config.BosTokenId ?? 0])
        {
            if (id >= size && id < Config.VocabularySize)
            {
                throw new ArgumentException(
                    $"A vocabulary of {size} ids would cut off the special token {id} (of pad_token_id, bos_token_id, eos_token_id); expected at least {id + 1}.",
                    nameof(vocabularySize));
            }
        }

        if (size == Config.VocabularySize) return size;
        DecoderConfig resized = Config with { VocabularySize = size };
        resized.Validate(nameof(vocabularySize));
        Decoder.ResizeEmbedding(size);
        ResizeHead(size);
        Config = resized;
        return size;
    }

    /// <summary>Resizes what a head has for each id.</summary>
    private protected virtual void ResizeHead(int vocabularySize)
    {
    }
}
