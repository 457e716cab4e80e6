using System.Buffers;
using Microsoft.ML.Tokenizers;

namespace MLComponents.Tokenization;

/// <content>
/// What a <see cref="Tokenizer"/> of Microsoft.ML.Tokenizers does. The special tokens of the post-processor are part of the result, as
/// in <see cref="Encode(string, bool)"/>. Normalized text is always reported as null: offsets and indexes are those of the given text.
/// </content>
public sealed partial class PretrainedTokenizer
{
    /// <inheritdoc/>
    protected override EncodeResults<int> EncodeToIds(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        ReadOnlySpan<char> given = text is null ? textSpan : text;
        if (settings.MaxTokenCount == int.MaxValue)
            return new EncodeResults<int> { Tokens = EncodeIds(given, Steps(settings)), CharsConsumed = given.Length };
        List<DraftToken> tokens = _pipeline.EncodeDetailed(text ?? textSpan.ToString(), Steps(settings)).Tokens;
        int count = CountFromStart(tokens, settings.MaxTokenCount);
        return new EncodeResults<int>
        {
            Tokens = [.. tokens.Take(count).Select(token => token.Id)],
            CharsConsumed = EndOfPrefix(tokens, count, given.Length),
        };
    }

    /// <inheritdoc/>
    protected override EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        ReadOnlySpan<char> given = text is null ? textSpan : text;
        List<DraftToken> tokens = _pipeline.EncodeDetailed(text ?? textSpan.ToString(), Steps(settings)).Tokens;
        int count = CountFromStart(tokens, settings.MaxTokenCount);
        return new EncodeResults<EncodedToken>
        {
            Tokens = [.. tokens.Take(count).Select(token => new EncodedToken(token.Id, token.Text, token.Start..token.End))],
            CharsConsumed = EndOfPrefix(tokens, count, given.Length),
        };
    }

    /// <inheritdoc/>
    protected override int CountTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings) =>
        EncodeToIds(text, textSpan, settings).Tokens.Count;

    /// <inheritdoc/>
    protected override int GetIndexByTokenCount(
        string? text,
        ReadOnlySpan<char> textSpan,
        EncodeSettings settings,
        bool fromEnd,
        out string? normalizedText,
        out int tokenCount)
    {
        normalizedText = null;
        ReadOnlySpan<char> given = text is null ? textSpan : text;
        List<DraftToken> tokens = _pipeline.EncodeDetailed(text ?? textSpan.ToString(), Steps(settings)).Tokens;
        if (!fromEnd)
        {
            tokenCount = CountFromStart(tokens, settings.MaxTokenCount);
            return EndOfPrefix(tokens, tokenCount, given.Length);
        }

        tokenCount = CountFromEnd(tokens, settings.MaxTokenCount);
        if (tokenCount == tokens.Count) return 0;
        foreach (DraftToken token in tokens.Skip(tokens.Count - tokenCount))
            if (token.Kind == TokenKind.Text) return token.Start;
        return given.Length;
    }

    /// <summary>The text of token ids, special tokens included. Ids without a token are left out.</summary>
    /// <param name="ids">The ids.</param>
    public override string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return _pipeline.Decode(ids, skipSpecialTokens: false);
    }

    /// <summary>Decodes ids into a buffer, as many as fit with whole characters.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="destination">Where the text goes.</param>
    /// <param name="idsConsumed">How many ids the written text stands for.</param>
    /// <param name="charsWritten">How many characters were written.</param>
    /// <returns><see cref="OperationStatus.Done"/>, or <see cref="OperationStatus.DestinationTooSmall"/>.</returns>
    public override OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        ArgumentNullException.ThrowIfNull(ids);
        int[] all = [.. ids];
        string text = _pipeline.Decode(all, skipSpecialTokens: false);
        idsConsumed = all.Length;
        if (text.Length > destination.Length)
        {
            // The longest prefix of ids whose text fits and is a prefix of the whole text: it ends with no half character.
            string whole = text;
            int low = 0, high = all.Length;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                if (_pipeline.Decode(all.Take(middle), skipSpecialTokens: false).Length <= destination.Length) low = middle;
                else high = middle - 1;
            }

            for (text = _pipeline.Decode(all.Take(low), false); !whole.StartsWith(text, StringComparison.Ordinal) || EndsInsideCharacter(text, whole); low--)
                text = _pipeline.Decode(all.Take(low - 1), skipSpecialTokens: false);
            idsConsumed = low;
        }

        text.CopyTo(destination);
        charsWritten = text.Length;
        return idsConsumed == all.Length ? OperationStatus.Done : OperationStatus.DestinationTooSmall;
    }

    private static bool EndsInsideCharacter(string prefix, string whole) =>
        prefix.EndsWith(CodePoints.Replacement) && whole.Length >= prefix.Length && whole[prefix.Length - 1] != CodePoints.Replacement;

    private static EncodeSteps Steps(EncodeSettings settings) => EncodeSteps.SpecialTokens
        | (settings.ConsiderNormalization ? EncodeSteps.Normalization : EncodeSteps.None)
        | (settings.ConsiderPreTokenization ? EncodeSteps.PreTokenization : EncodeSteps.None);

    // How many tokens from the start fit; never ends between two tokens of one character.
    private static int CountFromStart(List<DraftToken> tokens, int maximum)
    {
        if (maximum >= tokens.Count) return tokens.Count;
        int count = maximum;
        while (count > 0 && IsInsideCharacter(tokens, count)) count--;
        return count;
    }

    private static int CountFromEnd(List<DraftToken> tokens, int maximum)
    {
        if (maximum >= tokens.Count) return tokens.Count;
        int count = maximum;
        while (count > 0 && IsInsideCharacter(tokens, tokens.Count - count)) count--;
        return count;
    }

    private static bool IsInsideCharacter(List<DraftToken> tokens, int boundary) =>
        boundary > 0 && tokens[boundary].Kind == TokenKind.Text && tokens[boundary - 1].Kind == TokenKind.Text
        && tokens[boundary].Start < tokens[boundary - 1].End;

    private static int EndOfPrefix(List<DraftToken> tokens, int count, int length)
    {
        if (count == tokens.Count) return length;
        for (int index = count - 1; index >= 0; index--)
            if (tokens[index].Kind == TokenKind.Text) return tokens[index].End;
        return 0;
    }
}
