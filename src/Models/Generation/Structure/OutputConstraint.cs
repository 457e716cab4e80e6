using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>
/// What a model may write: texts that match a regular expression, one of some choices, or JSON that is valid against a schema. Made once for a tokenizer; any number
/// of calls may use it at the same time. A text is finished within its greatest length, if the shortest one fits into it.
/// </summary>
/// <remarks>
/// <para>
/// The texts are an automaton over bytes, and the tokens that can come next are kept for each of its states. Willard and Louf 2023, "Efficient Guided Generation for Large
/// Language Models".
/// </para>
/// <para>
/// Tokens are bytes here, so that no character is cut and any token of the vocabulary may be used. What comes before the new tokens does not count; special tokens but
/// the end are never written.
/// </para>
/// </remarks>
public sealed class OutputConstraint
{
    private readonly ByteAutomaton _automaton;
    private readonly VocabularyTrie _vocabulary;
    private readonly int _vocabularySize;
    private readonly TokenMask?[] _masks;
    private readonly int[] _tokensToEnd;

    private OutputConstraint(TextPiece piece, PretrainedTokenizer tokenizer)
    {
        _vocabulary = VocabularyTrie.Of(tokenizer);
        _vocabularySize = tokenizer.VocabularySize;
        _automaton = ByteAutomaton.Of(piece, _vocabulary.HasByte);
        _masks = new TokenMask?[_automaton.StateCount];
        _tokensToEnd = TokensToEnd();
    }

    /// <summary>The number of tokens that a text has at least.</summary>
    public int MinimumLength => _tokensToEnd[ByteAutomaton.Start];

    /// <summary>Texts that match a regular expression as a whole.</summary>
    /// <param name="pattern">
    /// The expression: what is regular, so no look-arounds, back references, atomic groups and word borders. Of <c>\d</c>, <c>\w</c> and <c>\s</c> only ASCII is written.
    /// </param>
    /// <param name="tokenizer">The tokenizer of the model.</param>
    /// <exception cref="FormatException">It is not a regular expression.</exception>
    /// <exception cref="NotSupportedException">It uses what is not supported, or would be too large; the message names it.</exception>
    public static OutputConstraint Regex([StringSyntax(StringSyntaxAttribute.Regex)] string pattern, PretrainedTokenizer tokenizer)
    {
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        ArgumentNullException.ThrowIfNull(tokenizer);
        return new OutputConstraint(RegexPieces.Of(pattern), tokenizer);
    }

    /// <summary>One of some texts.</summary>
    /// <param name="choices">The texts, none of them empty.</param>
    /// <param name="tokenizer">The tokenizer of the model.</param>
    public static OutputConstraint Choices(IEnumerable<string> choices, PretrainedTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(choices);
        ArgumentNullException.ThrowIfNull(tokenizer);
        string[] all = [.. choices];
        if (all.Length == 0 || all.Any(string.IsNullOrEmpty)) throw new ArgumentException("There are no choices, or one is empty; expected at least one text.", nameof(choices));
        return new OutputConstraint(TextPiece.Any(all.Select(static text => (TextPiece)text)), tokenizer);
    }

    /// <summary>JSON that is valid against a schema.</summary>
    /// <param name="schema">The schema, as JSON. What is supported: docs/structured-output.md.</param>
    /// <param name="tokenizer">The tokenizer of the model.</param>
    /// <exception cref="FormatException">It is no JSON schema.</exception>
    /// <exception cref="NotSupportedException">It uses what is not supported, or would be too large; the message names it and where it is.</exception>
    public static OutputConstraint JsonSchema(string schema, PretrainedTokenizer tokenizer)
    {
        ArgumentException.ThrowIfNullOrEmpty(schema);
        ArgumentNullException.ThrowIfNull(tokenizer);
        try
        {
            using var document = JsonDocument.Parse(schema);
            return new OutputConstraint(JsonSchemaReader.Read(document.RootElement), tokenizer);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"The JSON schema is not valid JSON: {exception.Message}", exception);
        }
    }

    /// <summary>Texts that are put together of parts.</summary>
    internal static OutputConstraint Of(TextPiece piece, PretrainedTokenizer tokenizer) => new(piece, tokenizer);

    /// <summary>Whether tokens are a text that is allowed as it is.</summary>
    /// <param name="newIds">The new tokens, without an end.</param>
    public bool IsComplete(IReadOnlyList<int> newIds)
    {
        ArgumentNullException.ThrowIfNull(newIds);
        int state = StateOf([.. newIds], []);
        return state != ByteAutomaton.Dead && _automaton.IsComplete(state);
    }

    /// <summary>The text of tokens, an end left out.</summary>
    /// <param name="newIds">The new tokens.</param>
    /// <param name="eosIds">The tokens that end a text.</param>
    internal string TextOf(ReadOnlySpan<int> newIds, ReadOnlySpan<int> eosIds)
    {
        List<byte> text = [];
        foreach (int id in newIds)
        {
            if (eosIds.Contains(id)) break;
            text.AddRange(_vocabulary.BytesOf(id) ?? []);
        }

        return System.Text.Encoding.UTF8.GetString([.. text]);
    }

    /// <summary>Rules out the tokens that cannot come next.</summary>
    /// <param name="newIds">The new tokens so far.</param>
    /// <param name="room">How many more there may be, this one included.</param>
    /// <param name="eosIds">The tokens that end a text.</param>
    /// <param name="scores">The scores.</param>
    internal void Apply(ReadOnlySpan<int> newIds, int room, ReadOnlySpan<int> eosIds, Span<float> scores)
    {
        int state = StateOf(newIds, eosIds);
        if (state == ByteAutomaton.Dead) throw new InvalidOperationException("The text so far is not what the constraint allows; it cannot go on.");
        TokenMask mask = MaskOf(state);

        // Where there is not even room for the shortest text, it is as good as any.
        if (room - 1 < mask.MostTokensBehind && room >= _tokensToEnd[state]) mask = MaskWithin(state, room - 1);
        mask.Apply(scores, _automaton.IsComplete(state) ? eosIds : []);
        if (_automaton.IsComplete(state)) return;

        // An end may be a token with a text of its own: the text would be cut there.
        foreach (int id in eosIds) scores[id] = float.NegativeInfinity;
    }

    /// <summary>Whether nothing may follow.</summary>
    internal bool Ends(ReadOnlySpan<int> newIds, ReadOnlySpan<int> eosIds)
    {
        int state = StateOf(newIds, eosIds);
        return state != ByteAutomaton.Dead && !_automaton.CanGoOn(state);
    }

    private int StateOf(ReadOnlySpan<int> newIds, ReadOnlySpan<int> eosIds)
    {
        int state = ByteAutomaton.Start;
        foreach (int id in newIds)
        {
            if (state == ByteAutomaton.Dead || eosIds.Contains(id)) break;
            state = _vocabulary.BytesOf(id) is { } bytes ? _automaton.Next(state, bytes) : ByteAutomaton.Dead;
        }

        return state;
    }

    private TokenMask MaskOf(int state)
    {
        if (Volatile.Read(ref _masks[state]) is { } known) return known;
        List<int> allowed = [];
        int most = 0;
        _vocabulary.Visit(_automaton, state, (ids, next) =>
        {
            allowed.AddRange(ids);
            most = Math.Max(most, _tokensToEnd[next]);
        });
        var mask = new TokenMask(allowed, _vocabularySize, most);
        Volatile.Write(ref _masks[state], mask);
        return mask;
    }

    /// <summary>The tokens behind which the text can be finished in time.</summary>
    private TokenMask MaskWithin(int state, int room)
    {
        List<int> allowed = [];
        _vocabulary.Visit(_automaton, state, (ids, next) =>
        {
            if (_tokensToEnd[next] <= room) allowed.AddRange(ids);
        });
        return new TokenMask(allowed, _vocabularySize, room);
    }

    /// <summary>For each state, how many tokens finish the text, if each is the longest one that the shortest completion begins with.</summary>
    private int[] TokensToEnd()
    {
        var tokens = new int[_automaton.StateCount];
        foreach (int state in Enumerable.Range(0, tokens.Length).OrderBy(_automaton.Distance))
            if (_automaton.Distance(state) > 0) tokens[state] = 1 + tokens[_vocabulary.FollowShortest(_automaton, state)];
        return tokens;
    }
}
