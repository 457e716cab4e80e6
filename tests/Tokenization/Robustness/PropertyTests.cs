using FsCheck;
using FsCheck.Fluent;

namespace MLComponents.Tokenization.Tests;

/// <summary>What holds for any text, with texts that FsCheck invents and shrinks.</summary>
public sealed class PropertyTests
{
    private static readonly string[] All = [.. Directory.EnumerateDirectories(Path.GetDirectoryName(Samples.Folder("x"))!).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    // Any UTF-16, lone surrogates included, with much of what tokenizers treat differently.
    private static readonly Arbitrary<string> AnyText = Arb.From(
        Gen.OneOf(
            Gen.Choose(0, 0xFFFF).Select(unit => ((char)unit).ToString()),
            Gen.Choose(0x20, 0x7E).Select(unit => ((char)unit).ToString()),
            Gen.Elements(" ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "123", "<|im_end|>", "<s>", "<0x41>", "\u2581", "\u0301", "e\u0301", "\uD83D\uDE42", "\uD800", "\uDC00", "the ", " king"),
            Gen.Choose(0x10000, 0x10FFFF).Select(char.ConvertFromUtf32))
        .ListOf().Select(parts => string.Concat(parts)),
        text => Enumerable.Range(0, text.Length).Select(index => text.Remove(index, 1)));

    public static TheoryData<string> Tokenizers() => [.. All];

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Any_text_is_encoded_and_offsets_lie_in_it_in_order(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        Check(text =>
        {
            Encoding encoding = tokenizer.Encode(text);
            int previous = 0;
            bool holds = encoding.Ids.SequenceEqual(tokenizer.EncodeIds(text)) && encoding.Ids.All(id => tokenizer.IdToToken(id) is not null);
            for (int token = 0; token < encoding.Ids.Count && holds; token++)
            {
                if (encoding.SpecialTokensMask[token]) continue;
                (int start, int end) = (encoding.Offsets[token].Start.Value, encoding.Offsets[token].End.Value);
                holds = start >= previous && end >= start && end <= text.Length && !IsInsidePair(text, start) && !IsInsidePair(text, end);
                previous = start;
            }

            return holds;
        });
    }

    [Theory]
    [InlineData("llama3-like-merges")]
    [InlineData("llama3-like-ignore-merges")]
    [InlineData("phi-like")]
    [InlineData("smollm-like")]
    public void Byte_level_texts_decode_to_themselves_and_their_offsets_cover_them(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        bool trims = tokenizer.Encode(" a", addSpecialTokens: false).Offsets[0].Start.Value > 0;
        Check(text =>
        {
            Encoding encoding = tokenizer.Encode(text, addSpecialTokens: false);
            if (tokenizer.Decode([.. encoding.Ids], skipSpecialTokens: false) != Samples.WellFormed(text)) return false;
            var covered = new bool[text.Length];
            foreach (Range offset in encoding.Offsets) Array.Fill(covered, true, offset.Start.Value, offset.End.Value - offset.Start.Value);
            return text.Select((unit, index) => covered[index] || (trims && char.IsWhiteSpace(unit))).All(isCovered => isCovered);
        });
    }

    [Theory]
    [InlineData("phi3-like")]
    [InlineData("persimmon-like")]
    [InlineData("gemma-like")]
    public void Texts_with_byte_fallback_decode_to_themselves(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        Check(text =>
        {
            string plain = Samples.WellFormed(text).Replace("\u2581", "").Replace("<", "").Replace("|", "");
            return tokenizer.Decode(tokenizer.EncodeIds(plain, addSpecialTokens: false), skipSpecialTokens: false) == plain;
        });
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void A_stream_of_an_encoded_text_gives_the_decoded_text(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        Check(text =>
        {
            int[] ids = tokenizer.EncodeIds(text);
            DecodeStream stream = tokenizer.CreateDecodeStream();
            string pieces = string.Concat(ids.Select(stream.Add)) + stream.Flush();
            return pieces == tokenizer.Decode(ids, skipSpecialTokens: true);
        });
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Windows_hold_every_token_of_the_text(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        Check(text =>
        {
            int[] whole = tokenizer.EncodeIds(text, addSpecialTokens: false);
            Encoding first = tokenizer.Encode(text, new EncodingOptions { AddSpecialTokens = false, Truncation = TruncationStrategy.LongestFirst, MaxLength = 7 });
            return first.Overflowing.Prepend(first).SelectMany(window => window.Ids).SequenceEqual(whole);
        });
    }

    private static void Check(Func<string, bool> holds) => Prop.ForAll(AnyText, holds).QuickCheckThrowOnFailure();

    private static bool IsInsidePair(string text, int index) =>
        index > 0 && index < text.Length && char.IsHighSurrogate(text[index - 1]) && char.IsLowSurrogate(text[index]);
}
