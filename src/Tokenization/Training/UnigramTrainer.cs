namespace MLComponents.Tokenization;

/// <summary>
/// Learns a Unigram vocabulary from texts as SentencePiece does, in the layout of Persimmon's tokenizer: the special tokens
/// <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c> (which pads and ends texts), a token for every byte, then pieces of words, a
/// word's first with the space before it. The same texts in the same order always give the same vocabulary.
/// </summary>
/// <remarks>
/// Substrings of words that occur at least twice are the first candidates. Expectation maximization estimates how likely each is; those
/// whose loss makes the texts least unlikely are taken out, a quarter at a time, until the size is reached (Kudo, 2018, "Subword
/// Regularization"). Single characters stay, as far as the vocabulary has room, the rarest go first.
/// </remarks>
public sealed class UnigramTrainer
{
    /// <summary>The smallest possible vocabulary: three special tokens, 256 bytes, and one piece.</summary>
    public const int SmallestVocabulary = FirstPiece + 1;

    internal const int FirstPiece = 3 + 256;
    internal const string Unknown = "<unk>", Begin = "<s>", End = "</s>";

    private const char Space = '\u2581';

    private readonly int _vocabularySize;

    /// <summary>A trainer for vocabularies of a size.</summary>
    /// <param name="vocabularySize">The number of ids, special tokens and bytes included. Texts with fewer different pieces give fewer.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is below <see cref="SmallestVocabulary"/>.</exception>
    public UnigramTrainer(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, SmallestVocabulary);
        _vocabularySize = vocabularySize;
    }

    /// <summary>The most characters of a piece; at least 1.</summary>
    public int MaxPieceLength { get; init; } = 16;

    /// <summary>The number of tokens that a text may have, as tokenizer_config.json tells other programs.</summary>
    public int ModelMaxLength { get; init; } = 2048;

    /// <summary>Learns a vocabulary.</summary>
    /// <param name="texts">The texts, read once, one after the other.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The tokenizer; <see cref="PretrainedTokenizer.Save"/> writes its tokenizer.json and tokenizer_config.json.</returns>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public PretrainedTokenizer Train(IEnumerable<string> texts, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPieceLength, 1);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Count(text, counts);
        }

        // In a fixed order, so that what is learnt does not depend on the order of a hash table.
        var words = counts.OrderBy(word => word.Key, StringComparer.Ordinal).Select(word => (word.Key, word.Value)).ToList();
        var learner = new UnigramLearner(words, MaxPieceLength);
        IReadOnlyList<(string Piece, double Score)> pieces = learner.Learn(_vocabularySize - FirstPiece, cancellationToken);
        return PretrainedTokenizer.Load(new Dictionary<string, byte[]>
        {
            [TokenizerFiles.Tokenizer] = UnigramFileWriter.WriteTokenizer(pieces),
            [TokenizerFiles.Configuration] = UnigramFileWriter.WriteConfiguration(ModelMaxLength),
        });
    }

    // The words of a text, each with the space before it; every text begins with one.
    private static void Count(string text, Dictionary<string, long> counts)
    {
        Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        ReadOnlySpan<char> characters = CodePoints.WellFormed(string.Concat(Space.ToString(), text.Replace(' ', Space)));
        for (int start = 0; start < characters.Length;)
        {
            int next = characters[(start + 1)..].IndexOf(Space);
            int end = next < 0 ? characters.Length : start + 1 + next;
            ReadOnlySpan<char> word = characters[start..end];
            lookup[word] = lookup.TryGetValue(word, out long count) ? count + 1 : 1;
            start = end;
        }
    }
}
