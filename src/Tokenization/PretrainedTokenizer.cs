using Microsoft.ML.Tokenizers;

namespace MLComponents.Tokenization;

/// <summary>
/// The tokenizer of a pretrained model, with the ids, tokens and offsets of Hugging Face's tokenizers library. It can be used wherever a
/// <see cref="Tokenizer"/> is accepted, from any number of threads.
/// </summary>
/// <remarks>
/// Every component that a <c>tokenizer.json</c> of a text model has is supported; loading one with anything else fails with an error that
/// names it. The file's own <c>truncation</c> and <c>padding</c> are not applied, as transformers does not apply them unless asked; see
/// <see cref="FileOptions"/>. Any string can be encoded: a lone surrogate is read as U+FFFD. Encoding fails, with an
/// <see cref="InvalidOperationException"/>, only where the vocabulary can write neither the text nor "unknown", and with a pathological
/// regular expression, instead of running without end.
/// </remarks>
public sealed partial class PretrainedTokenizer : Tokenizer
{
    private readonly TokenizerPipeline _pipeline;
    private readonly ChatTemplateSource _chatTemplates;
    private readonly IReadOnlyList<KeyValuePair<string, string>> _specialTokens;

    private PretrainedTokenizer(IReadOnlyDictionary<string, byte[]> files)
    {
        Files = files;
        var sections = new TokenizerSections(TokenizerFiles.Tokenizer, files[TokenizerFiles.Tokenizer]);
        _pipeline = new TokenizerPipeline(sections);
        VocabularySize = _pipeline.Added.Tokens.Aggregate(_pipeline.Model.Vocabulary.Size, (size, token) => Math.Max(size, token.Id + 1));
        var configuration = new TokenizerConfiguration(files);
        PadTokenId = FindRole(configuration, "pad_token");
        BosTokenId = FindRole(configuration, "bos_token");
        EosTokenId = FindRole(configuration, "eos_token");
        UnkTokenId = FindRole(configuration, "unk_token");
        ModelMaxLength = configuration.ModelMaxLength;
        PaddingSide = configuration.Side("padding_side");
        TruncationSide = configuration.Side("truncation_side");
        CleanUpTokenizationSpaces = configuration.CleanUpTokenizationSpaces;
        FileOptions = FileOptionsReader.Read(sections);
        _chatTemplates = new ChatTemplateSource(files, configuration);
        _specialTokens = [.. configuration.SpecialTokens(_pipeline.Added)];
    }

    /// <summary>
    /// The files the tokenizer was loaded from, by name, so that a model file can embed them; with the <c>tokenizer.json</c> that was
    /// made where there was none.
    /// </summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <summary>The largest id + 1, added tokens included: what an embedding needs at least.</summary>
    public int VocabularySize { get; }

    /// <summary>The id of the padding token; null where the tokenizer has none.</summary>
    public int? PadTokenId { get; }

    /// <summary>The id of the token that begins texts; null where the tokenizer has none.</summary>
    public int? BosTokenId { get; }

    /// <summary>The id of the token that ends texts; null where the tokenizer has none.</summary>
    public int? EosTokenId { get; }

    /// <summary>The id of the token for what the vocabulary lacks; null where the tokenizer has none.</summary>
    public int? UnkTokenId { get; }

    /// <summary>The most tokens that the model reads (<c>model_max_length</c>); null where nothing says so.</summary>
    public int? ModelMaxLength { get; }

    /// <summary>The side that is padded unless options say otherwise (<c>padding_side</c>).</summary>
    public SequenceSide PaddingSide { get; }

    /// <summary>The side that is cut unless options say otherwise (<c>truncation_side</c>).</summary>
    public SequenceSide TruncationSide { get; }

    /// <summary>
    /// Whether the configuration asks for decoded text to be cleaned up (<c>clean_up_tokenization_spaces</c>), which
    /// <see cref="CleanUp"/> does; <see cref="Decode(ReadOnlySpan{int}, bool)"/> does not do it.
    /// </summary>
    public bool CleanUpTokenizationSpaces { get; }

    /// <summary>What the sections <c>truncation</c> and <c>padding</c> of the file say; null where it has neither.</summary>
    public EncodingOptions? FileOptions { get; }

    /// <summary>Loads a tokenizer.</summary>
    /// <param name="path">
    /// A folder with a <c>tokenizer.json</c>, or that file; <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> beside it
    /// say which tokens pad, begin and end texts. Without it, <c>vocab.json</c> with <c>merges.txt</c>, a SentencePiece
    /// <c>tokenizer.model</c> or a <c>vocab.txt</c>, each with <c>added_tokens.json</c>.
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
            return new PretrainedTokenizer(TokenizerFiles.Complete(files));
        }
        catch (Exception problem) when (problem is FormatException or NotSupportedException)
        {
            string message = $"The tokenizer at {path} cannot be loaded. {problem.Message}";
            throw problem is FormatException ? new FormatException(message, problem) : new NotSupportedException(message, problem);
        }
    }

    /// <summary>Loads a tokenizer from the contents of its files.</summary>
    /// <param name="files">Contents by file name; <c>tokenizer.json</c> must be among them, or what it can be made of.</param>
    /// <exception cref="ArgumentException">There is neither.</exception>
    /// <exception cref="FormatException">A file is broken.</exception>
    /// <exception cref="NotSupportedException">The tokenizer has a component that is not supported.</exception>
    public static PretrainedTokenizer Load(IReadOnlyDictionary<string, byte[]> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (!TokenizerFiles.HasTokenizer(files))
            throw new ArgumentException($"There is no {TokenizerFiles.Tokenizer}, nor what it can be made of, among the files {string.Join(", ", files.Keys)}.", nameof(files));
        return new PretrainedTokenizer(TokenizerFiles.Complete(files));
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
        foreach ((string name, byte[] content) in Files) TokenizerFiles.Write(folder, name, content);
    }

    /// <summary>The text of token ids. Ids without a token are left out; bytes that form no character become U+FFFD.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens) => _pipeline.Decode(ids.ToArray(), skipSpecialTokens);

    /// <summary>
    /// Takes out the spaces that decoding English texts word by word leaves before punctuation and contractions, as transformers does
    /// where <see cref="CleanUpTokenizationSpaces"/> is set: <c>do n't , he said .</c> becomes <c>don't, he said.</c>
    /// </summary>
    /// <param name="text">A decoded text.</param>
    public static string CleanUp(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TextCleaning.Clean(text);
    }

    /// <summary>Decodes ids one by one, as a model generates them.</summary>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    public DecodeStream CreateDecodeStream(bool skipSpecialTokens = true) => new(_pipeline, skipSpecialTokens);

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

    private int? FindRole(TokenizerConfiguration configuration, string role)
    {
        if (configuration.Role(role, _pipeline.Added) is not { } token) return null;
        return TokenToId(token) ?? throw new FormatException($"The {role} '{token}' is not in the vocabulary of {TokenizerFiles.Tokenizer}.");
    }
}
