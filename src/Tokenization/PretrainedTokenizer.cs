using Microsoft.ML.Tokenizers;

namespace MLComponents.Tokenization;

/// <summary>
/// The tokenizer of a pretrained model, read from its <c>tokenizer.json</c>, with the ids, tokens and offsets of Hugging Face's
/// tokenizers library. It can be used wherever a <see cref="Tokenizer"/> is accepted, from any number of threads.
/// </summary>
/// <remarks>
/// Supported: byte-level BPE models (both spellings of merges, <c>ignore_merges</c>); the normalizers NFC, Lowercase and Sequence; the
/// pre-tokenizers ByteLevel, Split, Digits and Sequence; the post-processors ByteLevel, TemplateProcessing (for single texts) and
/// Sequence; the decoder ByteLevel; added tokens with all their flags. Loading anything else fails with an error that names it.
/// The file's <c>truncation</c> and <c>padding</c> are not applied, as transformers does not apply them unless asked.
/// Any string can be encoded: a lone surrogate is read as U+FFFD. Only a tokenizer with a pathological regular expression of its own can
/// fail to encode, with an <see cref="InvalidOperationException"/> instead of running without end.
/// </remarks>
public sealed partial class PretrainedTokenizer : Tokenizer
{
    private readonly TokenizerPipeline _pipeline;

    private PretrainedTokenizer(IReadOnlyDictionary<string, byte[]> files)
    {
        Files = files;
        _pipeline = new TokenizerPipeline(new TokenizerSections(TokenizerFiles.Tokenizer, files[TokenizerFiles.Tokenizer]));
        VocabularySize = _pipeline.Added.Tokens.Aggregate(_pipeline.Model.Vocabulary.Size, (size, token) => Math.Max(size, token.Id + 1));
        PadTokenId = FindRole("pad_token");
        BosTokenId = FindRole("bos_token");
        EosTokenId = FindRole("eos_token");
    }

    /// <summary>The files the tokenizer was loaded from, by name, so that a model file can embed them.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <summary>The largest id + 1, added tokens included: what an embedding needs at least.</summary>
    public int VocabularySize { get; }

    /// <summary>The id of the padding token; null where the tokenizer has none.</summary>
    public int? PadTokenId { get; }

    /// <summary>The id of the token that begins texts; null where the tokenizer has none.</summary>
    public int? BosTokenId { get; }

    /// <summary>The id of the token that ends texts; null where the tokenizer has none.</summary>
    public int? EosTokenId { get; }

    /// <summary>Loads a tokenizer.</summary>
    /// <param name="path">
    /// A folder with a <c>tokenizer.json</c>, or that file; <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> beside it
    /// say which tokens pad, begin and end texts.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such folder or file.</exception>
    /// <exception cref="FormatException">A file is broken; the message names it, the place in it and what was expected.</exception>
    /// <exception cref="NotSupportedException">The tokenizer has a component that is not supported; the message names it.</exception>
    public static PretrainedTokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Dictionary<string, byte[]> files = TokenizerFiles.Read(path);
        try
        {
            return new PretrainedTokenizer(files);
        }
        catch (Exception problem) when (problem is FormatException or NotSupportedException)
        {
            string message = $"The tokenizer at {path} cannot be loaded. {problem.Message}";
            throw problem is FormatException ? new FormatException(message, problem) : new NotSupportedException(message, problem);
        }
    }

    /// <summary>Loads a tokenizer from the contents of its files.</summary>
    /// <param name="files">Contents by file name; <c>tokenizer.json</c> must be among them.</param>
    /// <exception cref="ArgumentException">There is no <c>tokenizer.json</c>.</exception>
    /// <exception cref="FormatException">A file is broken.</exception>
    /// <exception cref="NotSupportedException">The tokenizer has a component that is not supported.</exception>
    public static PretrainedTokenizer Load(IReadOnlyDictionary<string, byte[]> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (!files.ContainsKey(TokenizerFiles.Tokenizer))
            throw new ArgumentException($"There is no {TokenizerFiles.Tokenizer} among the files {string.Join(", ", files.Keys)}.", nameof(files));
        return new PretrainedTokenizer(new Dictionary<string, byte[]>(files, StringComparer.Ordinal));
    }

    /// <summary>
    /// Writes the files the tokenizer was loaded from, unchanged, into a folder, which is created where needed. Each file appears only
    /// when it is complete.
    /// </summary>
    /// <param name="folder">The folder.</param>
    public void Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Directory.CreateDirectory(folder);
        foreach ((string name, byte[] content) in Files) TokenizerFiles.Write(Path.Combine(folder, name), content);
    }

    /// <summary>Encodes a text with all that is known of its tokens.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether the tokens that the tokenizer puts around every text are added.</param>
    public Encoding Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        Encoding encoding = _pipeline.EncodeDetailed(text, Steps(addSpecialTokens)).Build(text);
        Workspace.Trim();
        return encoding;
    }

    /// <summary>Encodes a text to ids only, which is much faster.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether the tokens that the tokenizer puts around every text are added.</param>
    /// <returns>The token ids.</returns>
    public int[] EncodeIds(ReadOnlySpan<char> text, bool addSpecialTokens = true) => EncodeIds(text, Steps(addSpecialTokens));

    /// <summary>The text of token ids. Ids without a token are left out; bytes that form no character become U+FFFD.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens) => _pipeline.Decode(ids.ToArray(), skipSpecialTokens);

    /// <summary>The token with an id as the vocabulary writes it, or null.</summary>
    /// <param name="id">The id.</param>
    public string? IdToToken(int id) => _pipeline.Added.Find(id)?.Content ?? _pipeline.Model.Vocabulary[id];

    /// <summary>The id of a token as the vocabulary writes it, or null.</summary>
    /// <param name="token">The token.</param>
    public int? TokenToId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return _pipeline.Added.TryGetId(token, out int id) || _pipeline.Model.Vocabulary.TryGetId(token, out id) ? id : null;
    }

    private static EncodeSteps Steps(bool addSpecialTokens) => addSpecialTokens ? EncodeSteps.All : EncodeSteps.All & ~EncodeSteps.SpecialTokens;

    private int[] EncodeIds(ReadOnlySpan<char> text, EncodeSteps steps)
    {
        IdBuffer buffer = Workspace.Rented.Ids;
        buffer.Clear();
        _pipeline.Encode(text, buffer, steps);
        int[] ids = buffer.Ids.ToArray();
        Workspace.Trim();
        return ids;
    }

    private int? FindRole(string role)
    {
        if (SpecialTokenReader.Find(Files, role, _pipeline.Added) is not { } token) return null;
        return TokenToId(token) ?? throw new FormatException($"The {role} '{token}' is not in the vocabulary of {TokenizerFiles.Tokenizer}.");
    }
}
