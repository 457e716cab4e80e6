namespace MLComponents.Tokenization;

/// <summary>
/// Learns a byte-level BPE vocabulary from texts, in the layout of Qwen2's tokenizer: NFC, Qwen2's pattern, every byte a token, then the
/// tokens that merges of the most frequent pairs give, last the special tokens <c>&lt;|endoftext|&gt;</c> (which pads and ends texts),
/// <c>&lt;|im_start|&gt;</c> and <c>&lt;|im_end|&gt;</c>. The same texts in the same order always give the same vocabulary.
/// </summary>
public sealed class ByteLevelBpeTrainer
{
    /// <summary>The smallest possible vocabulary: 256 bytes and the special tokens.</summary>
    public const int SmallestVocabulary = 256 + 3;

    internal const string EndOfText = "<|endoftext|>";
    internal static readonly string[] SpecialTokens = [EndOfText, "<|im_start|>", "<|im_end|>"];

    private readonly int _vocabularySize;

    /// <summary>A trainer for vocabularies of a size.</summary>
    /// <param name="vocabularySize">
    /// The number of ids, special tokens included. Texts with fewer different pairs give fewer.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">It is below <see cref="SmallestVocabulary"/>.</exception>
    public ByteLevelBpeTrainer(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, SmallestVocabulary);
        _vocabularySize = vocabularySize;
    }

    /// <summary>How often a pair must occur to become a token; at least 1.</summary>
    public int MinimumCount { get; init; } = 2;

    /// <summary>The number of tokens that a text may have, as tokenizer_config.json tells other programs.</summary>
    public int ModelMaxLength { get; init; } = 2048;

    /// <summary>Learns a vocabulary.</summary>
    /// <param name="texts">The texts, read once, one after the other. Special tokens written in them are left out.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The tokenizer; <see cref="PretrainedTokenizer.Save"/> writes its tokenizer.json and tokenizer_config.json.</returns>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public PretrainedTokenizer Train(IEnumerable<string> texts, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(MinimumCount, 1);
        var counter = new WordCounter(SpecialTokens);
        foreach (string text in texts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            counter.Add(text);
        }

        var learner = new MergeLearner(counter.Counts, MinimumCount);
        learner.Learn(_vocabularySize - SpecialTokens.Length, cancellationToken);
        return PretrainedTokenizer.Load(new Dictionary<string, byte[]>
        {
            [TokenizerFiles.Tokenizer] = Qwen2FileWriter.WriteTokenizer(learner.Tokens, learner.Merges),
            [TokenizerFiles.Configuration] = Qwen2FileWriter.WriteConfiguration(learner.Tokens.Count, ModelMaxLength),
        });
    }
}
