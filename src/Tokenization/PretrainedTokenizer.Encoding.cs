namespace MLComponents.Tokenization;

/// <content>Texts to tokens.</content>
public sealed partial class PretrainedTokenizer
{
    private static readonly EncodingOptions Defaults = new();

    /// <summary>Encodes a text with all that is known of its tokens.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether the tokens that the tokenizer puts around every text are added.</param>
    public Encoding Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var encoding = new Encoding(_pipeline.EncodeDetailed(text, Steps(addSpecialTokens)), [text]);
        Workspace.Trim();
        return encoding;
    }

    /// <summary>Encodes a text, a pair of texts or words, cut and padded as options say.</summary>
    /// <param name="input">What is encoded.</param>
    /// <param name="options">How; null for all tokens of the text, with special ones.</param>
    /// <exception cref="ArgumentException">
    /// The options contradict each other, the tokenizer or the input; the message says which.
    /// </exception>
    public Encoding Encode(EncodeInput input, EncodingOptions? options)
    {
        options ??= Defaults;
        var limits = new EncodingLimits(options, this, _pipeline.PostProcessor);
        EncodingDraft draft = Draft(input, options, limits, out List<string> sources);
        limits.Pad([draft]);
        return new Encoding(draft, sources);
    }

    /// <summary>Encodes many inputs on all cores; the results are in the order of the inputs.</summary>
    /// <param name="inputs">What is encoded.</param>
    /// <param name="options">How; null for all tokens of the texts, with special ones.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">
    /// The options contradict each other, the tokenizer or an input; the message says which.
    /// </exception>
    public IReadOnlyList<Encoding> EncodeBatch(IEnumerable<EncodeInput> inputs, EncodingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        options ??= Defaults;
        var limits = new EncodingLimits(options, this, _pipeline.PostProcessor);
        EncodeInput[] all = [.. inputs];
        var drafts = new EncodingDraft[all.Length];
        var sources = new List<string>[all.Length];
        ForAll(all.Length, index => drafts[index] = Draft(all[index], options, limits, out sources[index]), cancellationToken);
        limits.Pad(drafts);
        var encodings = new Encoding[all.Length];
        for (int index = 0; index < encodings.Length; index++) encodings[index] = new Encoding(drafts[index], sources[index]);
        return encodings;
    }

    /// <summary>Encodes many texts on all cores; the results are in the order of the texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="options">How; null for all tokens of the texts, with special ones.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">
    /// The options contradict each other, the tokenizer or a text; the message says which.
    /// </exception>
    public IReadOnlyList<Encoding> EncodeBatch(IEnumerable<string> texts, EncodingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return EncodeBatch(texts.Select(text => new EncodeInput(text)), options, cancellationToken);
    }

    /// <summary>Encodes a text to ids only, which is much faster.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether the tokens that the tokenizer puts around every text are added.</param>
    /// <returns>The token ids.</returns>
    public int[] EncodeIds(ReadOnlySpan<char> text, bool addSpecialTokens = true) => EncodeIds(text, Steps(addSpecialTokens));

    /// <summary>Encodes many texts to ids only, on all cores; the results are in the order of the texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="addSpecialTokens">Whether the tokens that the tokenizer puts around every text are added.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public int[][] EncodeIdsBatch(IReadOnlyList<string> texts, bool addSpecialTokens = true, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var ids = new int[texts.Count][];
        ForAll(texts.Count, index => ids[index] = EncodeIds(texts[index], addSpecialTokens), cancellationToken);
        return ids;
    }

    /// <summary>Puts two encoded texts together with the special tokens around and between them (<c>build_inputs_with_special_tokens</c>).</summary>
    /// <param name="first">The ids of the first text, without special tokens.</param>
    /// <param name="second">The ids of the second.</param>
    internal int[] Join(ReadOnlySpan<int> first, ReadOnlySpan<int> second)
    {
        return [.. _pipeline.Finish(Draft(first), Draft(second), EncodeSteps.All, []).Tokens.Select(static token => token.Id)];

        static EncodingDraft Draft(ReadOnlySpan<int> ids)
        {
            var draft = new EncodingDraft(ids.Length);
            foreach (int id in ids) draft.Tokens.Add(new DraftToken(id, "", 0, 0, 0, 0, TokenKind.Text, -1));
            return draft;
        }
    }

    private static EncodeSteps Steps(bool addSpecialTokens) => addSpecialTokens ? EncodeSteps.All : EncodeSteps.All & ~EncodeSteps.SpecialTokens;

    // One thread's exception is thrown as it is.
    private static void ForAll(int count, Action<int> body, CancellationToken cancellationToken)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellationToken }, body);
        }
        catch (AggregateException problems)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(problems.InnerExceptions[0]);
        }
    }

    private EncodingDraft Draft(EncodeInput input, EncodingOptions options, EncodingLimits limits, out List<string> sources)
    {
        if (input.First is null) throw new ArgumentException("There is no text to encode.", nameof(input));
        EncodeSteps steps = Steps(options.AddSpecialTokens) | (options.SplitSpecialTokens ? EncodeSteps.SplitSpecialTokens : EncodeSteps.None);
        sources = [.. input.First, .. input.Second ?? []];
        int count = input.First.Count;
        EncodingDraft first = _pipeline.EncodeSource(sources, 0, input.IsWords, 0, steps, count);
        EncodingDraft? second = input.Second is null ? null : _pipeline.EncodeSource(sources, count, input.IsWords, 1, steps, input.Second.Count);
        Workspace.Trim();
        limits.Truncate(first, second);
        return _pipeline.Finish(first, second, steps, sources);
    }

    private int[] EncodeIds(ReadOnlySpan<char> text, EncodeSteps steps)
    {
        IdBuffer buffer = Workspace.Rented.Ids;
        buffer.Clear();
        _pipeline.Encode(text, buffer, steps);
        int[] ids = buffer.Ids.ToArray();
        Workspace.Trim();
        return ids;
    }
}
