namespace MLComponents.Tokenization;

/// <summary>The components of a tokenizer and the way of a text through them.</summary>
internal sealed class TokenizerPipeline
{
    private readonly TextNormalizer? _normalizer;
    private readonly PreTokenizerStep? _preTokenizer;
    private readonly bool _needsOrigins;
    private readonly TokenDecoder _decoder;
    private readonly (int[] Prefix, int[] Suffix)? _surroundings; // null where they are not that simple

    /// <summary>Builds the components that a tokenizer.json describes.</summary>
    public TokenizerPipeline(TokenizerSections sections)
    {
        _normalizer = NormalizerReader.Read(sections.Section("normalizer"));
        _preTokenizer = PreTokenizerReader.Read(sections.Section("pre_tokenizer"));
        PostProcessor = PostProcessorReader.Read(sections.Section("post_processor"));
        _decoder = DecoderReader.Read(sections.Section("decoder"));
        PreTokenizerStep? leavingBytes = _preTokenizer?.LeavingBytes();
        Model = ModelReader.Read(sections, takesBytes: leavingBytes is not null);
        if (Model is ByteLevelBpe) _preTokenizer = leavingBytes;
        _needsOrigins = _preTokenizer?.AsksForOrigins == true && (_normalizer is not null || _preTokenizer is PreTokenizerSequence);
        Added = new AddedVocabulary(AddedTokenReader.Read(sections.Section("added_tokens"), Model.Vocabulary), _normalizer);
        _surroundings = FindSurroundings();
    }

    /// <summary>The model.</summary>
    public TokenModel Model { get; }

    /// <summary>The added tokens.</summary>
    public AddedVocabulary Added { get; }

    /// <summary>The post-processor; null where there is none.</summary>
    public PostProcessor? PostProcessor { get; }

    /// <summary>The ids of a text.</summary>
    public void Encode(ReadOnlySpan<char> text, IdBuffer ids, EncodeSteps steps)
    {
        bool adds = steps.HasFlag(EncodeSteps.SpecialTokens);
        if (adds && _surroundings is null)
        {
            List<DraftToken> tokens = EncodeDetailed(text.ToString(), steps).Tokens;
            ids.Clear();
            foreach (DraftToken token in tokens) ids.Add(token.Id);
            return;
        }

        if (adds) ids.Add(_surroundings!.Value.Prefix);
        new EncodeRun(this, Workspace.Rented, ids, null, steps).EncodeRaw(text);
        if (adds) ids.Add(_surroundings!.Value.Suffix);
    }

    /// <summary>The tokens of a text with all that is known of them, special tokens around it included.</summary>
    public EncodingDraft EncodeDetailed(string text, EncodeSteps steps) => Finish(EncodeSource([text], 0, isWords: false, 0, steps), null, steps, [text]);

    /// <summary>The tokens of texts or their words, before any post-processing.</summary>
    /// <param name="sources">Texts and words of both texts.</param>
    /// <param name="first">The index of the first one to encode.</param>
    /// <param name="isWords">Whether all from there on are words of one text, up to <paramref name="count"/> of them; else one text.</param>
    /// <param name="typeId">The segment.</param>
    /// <param name="steps">What is done.</param>
    /// <param name="count">The number of words.</param>
    public EncodingDraft EncodeSource(IReadOnlyList<string> sources, int first, bool isWords, int typeId, EncodeSteps steps, int count = 1)
    {
        Workspace workspace = Workspace.Rented;
        var draft = new EncodingDraft(capacity: 8 + (count == 1 ? sources[first].Length / 4 : 2 * count));
        for (int index = 0; index < count; index++)
        {
            var run = new EncodeRun(this, workspace, workspace.Ids, draft, steps) { Source = first + index, TypeId = typeId, GivenWord = isWords ? index : -1 };
            run.EncodeRaw(sources[first + index]);
        }

        return draft;
    }

    /// <summary>Puts one text or two together, with their special tokens.</summary>
    public EncodingDraft Finish(EncodingDraft first, EncodingDraft? second, EncodeSteps steps, IReadOnlyList<string> sources)
    {
        EncodingDraft[] parts = second is null ? [first] : [first, second];
        if (PostProcessor is null)
        {
            if (second is null) return first;
            for (int sequence = 0; sequence < parts.Length; sequence++) parts[sequence].MarkSequence(sequence);
            return EncodingDraft.Join(parts);
        }

        for (int sequence = 0; sequence < parts.Length; sequence++)
        {
            parts[sequence].MarkSequence(sequence);
            parts[sequence].SetTypeId(sequence);
            foreach (EncodingDraft window in parts[sequence].Overflowing) window.MarkSequence(sequence);
        }

        return EncodingDraft.Join(PostProcessor.Process(parts, steps.HasFlag(EncodeSteps.SpecialTokens), sources));
    }

    /// <summary>The tokens of ids; those that stand for nothing are left out, as in the reference.</summary>
    public List<string> Tokens(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var tokens = new List<string>();
        foreach (int id in ids)
            if (Token(id, skipSpecialTokens) is { } token) tokens.Add(token);
        return tokens;
    }

    /// <summary>What an id decodes to; null where it is left out.</summary>
    public string? Token(int id, bool skipSpecialTokens) =>
        skipSpecialTokens && Added.Find(id) is { Special: true } ? null : Added.Text(id) ?? Model.Vocabulary[id];

    /// <summary>The decoder.</summary>
    public TokenDecoder Decoder => _decoder;

    /// <summary>The text of tokens.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens) => _decoder.Decode(Tokens(ids, skipSpecialTokens));

    // What stands around every text, found by processing a token that is none.
    private (int[] Prefix, int[] Suffix)? FindSurroundings()
    {
        var text = new EncodingDraft();
        text.Tokens.Add(new DraftToken(-1, "", 0, 0, 0, 0, TokenKind.Text, -1));
        List<DraftToken> around = Finish(text, null, EncodeSteps.All, []).Tokens;
        if (around.Count(token => token.Id < 0) != 1) return null;
        int place = around.FindIndex(token => token.Id < 0);
        return ([.. around.Take(place).Select(token => token.Id)], [.. around.Skip(place + 1).Select(token => token.Id)]);
    }

    /// <summary>One text on its way.</summary>
    private ref struct EncodeRun(TokenizerPipeline pipeline, Workspace workspace, IdBuffer ids, EncodingDraft? draft, EncodeSteps steps)
    {
        private int _words = 0;

        public int Source { get; init; }

        public int TypeId { get; init; }

        // The word that all tokens belong to, or -1 to count pieces.
        public int GivenWord { get; init; } = -1;

        public void EncodeRaw(ReadOnlySpan<char> original)
        {
            workspace.ReturnTexts(); // of a run that failed
            var text = new AlignedText(CodePoints.WellFormed(original), 0, draft is not null || pipeline._needsOrigins);
            AddedTokenMatcher matcher = pipeline.Added.Raw;
            bool split = steps.HasFlag(EncodeSteps.SplitSpecialTokens);
            int covered = 0;
            for (int from = 0; !matcher.IsEmpty && matcher.TryFind(text.Characters, from, covered, split, out AddedTokenMatch match); from = match.SearchFrom)
            {
                Normalize(text.Slice(covered, match.Start - covered));
                AddMatch(text, match);
                covered = match.End;
            }

            Normalize(text.Slice(covered, text.Length - covered));
            workspace.ReturnTexts();
        }

        private void Normalize(AlignedText text)
        {
            if (text.Length == 0) return;
            if (pipeline._normalizer is not null && steps.HasFlag(EncodeSteps.Normalization)) text = pipeline._normalizer.Normalize(text);
            AddedTokenMatcher matcher = pipeline.Added.Normalized;
            bool split = steps.HasFlag(EncodeSteps.SplitSpecialTokens);
            int covered = 0;
            for (int from = 0; !matcher.IsEmpty && matcher.TryFind(text.Characters, from, covered, split, out AddedTokenMatch match); from = match.SearchFrom)
            {
                PreTokenize(text.Slice(covered, match.Start - covered));
                AddMatch(text, match);
                covered = match.End;
            }

            PreTokenize(text.Slice(covered, text.Length - covered));
        }

        private void PreTokenize(AlignedText text)
        {
            if (text.Length == 0) return;
            workspace.Pieces.Clear();
            workspace.SparePieces.Clear();
            workspace.Pieces.Add(0, text.Length);
            var pieces = new PreTokenizedText(text, workspace.Pieces, workspace.SparePieces);
            if (steps.HasFlag(EncodeSteps.PreTokenization)) pipeline._preTokenizer?.Apply(ref pieces);
            ReadOnlySpan<char> characters = pieces.Text.Characters;
            for (int piece = 0; piece < pieces.Pieces.Count; piece++)
            {
                int start = pieces.Pieces.Start(piece);
                ReadOnlySpan<char> word = characters[start..pieces.Pieces.End(piece)];
                if (draft is null) pipeline.Model.Encode(word, ids);
                else AddWord(pieces.Text, start, word);
            }
        }

        private void AddWord(AlignedText text, int start, ReadOnlySpan<char> word)
        {
            ids.Clear();
            workspace.Spans.Clear();
            pipeline.Model.Encode(word, ids, workspace.Spans);
            for (int token = 0; token < ids.Count; token++)
            {
                (int from, int to) = workspace.Spans[token];
                (int originalStart, int originalEnd) = text.Original(start + from, start + to);
                int id = ids.Ids[token];
                Add(id, pipeline.Model.TokenText(id, word[from..to]), originalStart, originalEnd);
            }

            _words++;
        }

        private void AddMatch(AlignedText text, AddedTokenMatch match)
        {
            if (draft is null)
            {
                ids.Add(match.Token.Id);
                return;
            }

            (int start, int end) = text.Original(match.Start, match.End);
            Add(match.Token.Id, text.Characters[match.Start..match.End].ToString(), start, end);
            _words++;
        }

        private readonly void Add(int id, string text, int start, int end) =>
            draft!.Tokens.Add(new DraftToken(id, text, start, end, GivenWord >= 0 ? GivenWord : _words, TypeId, TokenKind.Text, Source));
    }
}
