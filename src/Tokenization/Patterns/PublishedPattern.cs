using System.Runtime.CompilerServices;

namespace MLComponents.Tokenization;

/// <summary>
/// The regular expressions that nearly all byte-level tokenizers use, matched by hand, many times faster than by any regex engine:
/// <see cref="Gpt2"/>, <see cref="Qwen2"/> and <see cref="Llama3"/>. Every position of a text matches, so matches have no gaps.
/// </summary>
internal sealed class PublishedPattern : TextPattern
{
    /// <summary>The pattern of GPT-2, which <c>ByteLevel</c> with <c>use_regex</c> implies.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The pattern of Qwen2.</summary>
    public const string Qwen2 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The pattern of Llama 3: Qwen2's with up to three digits.</summary>
    public const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const char LongS = '\u017F'; // folds to s

    private readonly bool _gpt2;
    private readonly int _digits;

    private PublishedPattern(bool gpt2, int digits)
    {
        _gpt2 = gpt2;
        _digits = digits;
    }

    /// <summary>The matcher of <see cref="Gpt2"/>.</summary>
    public static PublishedPattern ByteLevel { get; } = new(gpt2: true, int.MaxValue);

    /// <summary>The matcher whose pattern has exactly this text, or null.</summary>
    public static PublishedPattern? TryGet(string pattern) => pattern switch
    {
        Gpt2 => ByteLevel,
        Qwen2 => new PublishedPattern(gpt2: false, 1),
        Llama3 => new PublishedPattern(gpt2: false, 3),
        _ => null,
    };

    /// <inheritdoc/>
    public override bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        start = end = from;
        if (from >= text.Length) return false;
        end = _gpt2 ? EndOfGpt2(text, from) : EndOfQwen2(text, from, _digits);
        return true;
    }

    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, int offset, PieceList pieces)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = _gpt2 ? EndOfGpt2(text, start) : EndOfQwen2(text, start, _digits);
            pieces.Add(offset + start, offset + end);
            start = end;
        }
    }

    private static int EndOfGpt2(ReadOnlySpan<char> text, int start)
    {
        char first = text[start];
        if (first == '\'')
        {
            int contraction = ContractionLength(text[start..], ignoreCase: false);
            if (contraction > 0) return start + contraction;
        }

        byte kind = CharacterKinds.At(text, start, out int length);
        int next = start + length;
        if (kind != CharacterKinds.Space) return EndOfRun(text, next, kind);
        if (first == ' ' && next < text.Length)
        {
            byte second = CharacterKinds.At(text, next, out length);
            if (second != CharacterKinds.Space) return EndOfRun(text, next + length, second);
        }

        return EndOfBlank(text, start, EndOfRun(text, next, CharacterKinds.Space));
    }

    private static int EndOfQwen2(ReadOnlySpan<char> text, int start, int digits)
    {
        char first = text[start];
        if (first == '\'')
        {
            int contraction = ContractionLength(text[start..], ignoreCase: true);
            if (contraction > 0) return start + contraction;
        }

        byte kind = CharacterKinds.At(text, start, out int length);
        int next = start + length;
        if (kind == CharacterKinds.Letter) return EndOfRun(text, next, CharacterKinds.Letter);
        if (kind == CharacterKinds.Number) return EndOfNumber(text, next, digits - 1);
        byte second = CharacterKinds.Space;
        if (next < text.Length) second = CharacterKinds.At(text, next, out length);
        if (second == CharacterKinds.Letter && next < text.Length && first is not ('\r' or '\n'))
            return EndOfRun(text, next + length, CharacterKinds.Letter);
        if (kind == CharacterKinds.Other) return EndOfNewlines(text, EndOfRun(text, next, CharacterKinds.Other));
        if (first == ' ' && next < text.Length && second == CharacterKinds.Other)
            return EndOfNewlines(text, EndOfRun(text, next + length, CharacterKinds.Other));

        // White space: up to its last line break where there is one.
        int end = EndOfRun(text, next, CharacterKinds.Space);
        int lastBreak = text[start..end].LastIndexOfAny('\r', '\n');
        return lastBreak >= 0 ? start + lastBreak + 1 : EndOfBlank(text, start, end);
    }

    // \s+(?!\S)|\s+ : the last blank is left to what follows, unless it is the only one. White space is never a surrogate pair.
    private static int EndOfBlank(ReadOnlySpan<char> text, int start, int end) => end == text.Length || end == start + 1 ? end : end - 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int EndOfRun(ReadOnlySpan<char> text, int index, byte kind)
    {
        while (index < text.Length && CharacterKinds.At(text, index, out int length) == kind) index += length;
        return index;
    }

    private static int EndOfNumber(ReadOnlySpan<char> text, int index, int more)
    {
        for (; more > 0 && index < text.Length && CharacterKinds.At(text, index, out int length) == CharacterKinds.Number; more--) index += length;
        return index;
    }

    private static int EndOfNewlines(ReadOnlySpan<char> text, int index)
    {
        while (index < text.Length && text[index] is '\r' or '\n') index++;
        return index;
    }

    // 's 't 're 've 'm 'll 'd
    private static int ContractionLength(ReadOnlySpan<char> text, bool ignoreCase)
    {
        if (text.Length < 2) return 0;
        char first = Fold(text[1], ignoreCase);
        if (first is 's' or 't' or 'm' or 'd') return 2;
        if (text.Length < 3) return 0;
        return (first, Fold(text[2], ignoreCase)) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    private static char Fold(char unit, bool ignoreCase)
    {
        if (!ignoreCase) return unit;
        return unit == LongS ? 's' : char.IsAsciiLetterUpper(unit) ? (char)(unit | 0x20) : unit;
    }
}
