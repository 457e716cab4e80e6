namespace MLComponents.Tokenization;

/// <summary>The components of a tokenizer and the way of a text through them.</summary>
internal sealed class TokenizerPipeline
{
    private readonly TextNormalizer? _normalizer;
    private readonly PreTokenizerStep? _preTokenizer;
    private readonly PostProcessor? _postProcessor;
    private readonly TokenDecoder _decoder;
    private readonly int[] _prefix;
    private readonly int[] _suffix;

    /// <summary>Builds the components that a tokenizer.json describes.</summary>
    public TokenizerPipeline(TokenizerSections sections)
    {
        _normalizer = ComponentReader.ReadNormalizer(sections.Section("normalizer"));
        _preTokenizer = ComponentReader.ReadPreTokenizer(sections.Section("pre_tokenizer"));
        _postProcessor = ComponentReader.ReadPostProcessor(sections.Section("post_processor"));
        _decoder = ComponentReader.ReadDecoder(sections.Section("decoder"));
        Model = ComponentReader.ReadModel(sections, _preTokenizer?.YieldsBytes == true);
        Added = new AddedVocabulary(AddedTokenReader.Read(sections.Section("added_tokens"), Model.Vocabulary), _normalizer);
        _prefix = Ids(_postProcessor?.Prefix);
        _suffix = Ids(_postProcessor?.Suffix);
    }

    /// <summary>The model.</summary>
    public TokenModel Model { get; }

    /// <summary>The added tokens.</summary>
    public AddedVocabulary Added { get; }

    /// <summary>The ids of a text.</summary>
    public void Encode(ReadOnlySpan<char> text, IdBuffer ids, EncodeSteps steps)
    {
        if (steps.HasFlag(EncodeSteps.SpecialTokens)) ids.Add(_prefix);
        new EncodeRun(this, Workspace.Rented, ids, null, steps).EncodeRaw(text);
        if (steps.HasFlag(EncodeSteps.SpecialTokens)) ids.Add(_suffix);
    }

    /// <summary>The tokens of a text with all that is known of them.</summary>
    public EncodingDraft EncodeDetailed(ReadOnlySpan<char> text, EncodeSteps steps)
    {
        var draft = new EncodingDraft();
        Workspace workspace = Workspace.Rented;
        new EncodeRun(this, workspace, workspace.Ids, draft, steps).EncodeRaw(text);
        _postProcessor?.AdjustOffsets(draft, text);
        if (steps.HasFlag(EncodeSteps.SpecialTokens) && _postProcessor is not null)
        {
            draft.Tokens.InsertRange(0, _postProcessor.Prefix);
            draft.Tokens.AddRange(_postProcessor.Suffix);
        }

        return draft;
    }

    /// <summary>The text of tokens; ids that stand for nothing are left out, as in the reference.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var tokens = new List<string>();
        foreach (int id in ids)
        {
            if (skipSpecialTokens && Added.Find(id) is { Special: true }) continue;
            if ((Added.Text(id) ?? Model.Vocabulary[id]) is { } token) tokens.Add(token);
        }

        return _decoder.Decode(tokens);
    }

    private static int[] Ids(IReadOnlyList<DraftToken>? tokens) => tokens is null ? [] : [.. tokens.Select(token => token.Id)];

    /// <summary>One text on its way.</summary>
    private ref struct EncodeRun(TokenizerPipeline pipeline, Workspace workspace, IdBuffer ids, EncodingDraft? draft, EncodeSteps steps)
    {
        private int _words = 0;

        public void EncodeRaw(ReadOnlySpan<char> original)
        {
            var text = new AlignedText(CodePoints.WellFormed(original), 0);
            AddedTokenMatcher matcher = pipeline.Added.Raw;
            int covered = 0;
            for (int from = 0; !matcher.IsEmpty && matcher.TryFind(text.Characters, from, covered, out AddedTokenMatch match); from = match.SearchFrom)
            {
                Normalize(text.Slice(covered, match.Start - covered));
                AddMatch(text, match);
                covered = match.End;
            }

            Normalize(text.Slice(covered, text.Length - covered));
        }

        private void Normalize(AlignedText text)
        {
            if (text.Length == 0) return;
            if (pipeline._normalizer is not null && steps.HasFlag(EncodeSteps.Normalization)) text = pipeline._normalizer.Normalize(text);
            AddedTokenMatcher matcher = pipeline.Added.Normalized;
            int covered = 0;
            for (int from = 0; !matcher.IsEmpty && matcher.TryFind(text.Characters, from, covered, out AddedTokenMatch match); from = match.SearchFrom)
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
                draft!.Tokens.Add(new DraftToken(id, pipeline.Model.Vocabulary[id]!, originalStart, originalEnd, _words));
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
            draft.Tokens.Add(new DraftToken(match.Token.Id, text.Characters[match.Start..match.End].ToString(), start, end, _words++));
        }
    }
}
