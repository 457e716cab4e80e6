using System.Buffers;
using System.Text.Json;

namespace MLComponents.Tokenization;

/// <content>A tokenizer with further tokens.</content>
public sealed partial class PretrainedTokenizer
{
    /// <summary>
    /// This tokenizer with further added tokens, such as the markers that a fine-tuned model is to learn. A text that is a token of the
    /// model already keeps its id; new ones get the ids from <see cref="VocabularySize"/> on. In the file, all but the list of added
    /// tokens stays as it is, byte for byte.
    /// </summary>
    /// <param name="tokens">The texts; those that are added tokens already change nothing.</param>
    /// <param name="special">
    /// Whether decoding can skip them; special tokens are looked for in the text as it is given, others in the normalized text.
    /// </param>
    /// <returns>The new tokenizer; a model needs an embedding for all of its <see cref="VocabularySize"/>.</returns>
    /// <exception cref="ArgumentException">A token is empty.</exception>
    public PretrainedTokenizer WithTokens(IEnumerable<string> tokens, bool special = false)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        List<AddedToken> all = [.. _pipeline.Added.Tokens];
        int next = VocabularySize;
        foreach (string token in tokens)
        {
            ArgumentException.ThrowIfNullOrEmpty(token, nameof(tokens));
            if (all.Any(known => known.Content == token)) continue;
            int id = _pipeline.Model.Vocabulary.TryGetId(token, out int known) ? known : next++;
            all.Add(new AddedToken(id, token, SingleWord: false, StripLeft: false, StripRight: false, Normalized: !special, special));
        }

        all.Sort((left, right) => left.Id.CompareTo(right.Id));
        var list = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(list, TokenizerJsonWriter.Options)) TokenizerJsonWriter.WriteAddedTokens(writer, all);
        var files = new Dictionary<string, byte[]>(Files, StringComparer.Ordinal);
        files[TokenizerFiles.Tokenizer] = new TokenizerSections(TokenizerFiles.Tokenizer, files[TokenizerFiles.Tokenizer]).With("added_tokens", list.WrittenSpan);
        return new PretrainedTokenizer(files);
    }
}
