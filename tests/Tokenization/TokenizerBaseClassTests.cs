using System.Buffers;
using Microsoft.ML.Tokenizers;

namespace MLComponents.Tokenization.Tests;

/// <summary>The tokenizer as a Tokenizer of Microsoft.ML.Tokenizers.</summary>
public sealed class TokenizerBaseClassTests
{
    private const string Text = "Where is the caf\u00E9, <|im_end|> my \U0001F642 friend?";

    private static readonly Tokenizer Tokenizer = Samples.Load("qwen2-like");
    private static readonly Encoding Whole = Samples.Load("qwen2-like").Encode(Text);

    [Fact]
    public void Ids_tokens_and_counts_agree_with_Encode()
    {
        Assert.Equal(Whole.Ids, Tokenizer.EncodeToIds(Text));
        Assert.Equal(Whole.Ids, Tokenizer.EncodeToIds(Text.AsSpan()));
        IReadOnlyList<EncodedToken> tokens = Tokenizer.EncodeToTokens(Text, out string? normalized);
        Assert.Null(normalized);
        Assert.Equal(Whole.Ids, tokens.Select(token => token.Id));
        Assert.Equal(Whole.Tokens, tokens.Select(token => token.Value));
        Assert.Equal(Whole.Offsets, tokens.Select(token => token.Offset));
        Assert.Equal(Whole.Ids.Count, Tokenizer.CountTokens(Text));
    }

    [Fact]
    public void Every_limit_gives_a_prefix_that_ends_between_characters()
    {
        for (int limit = 1; limit <= Whole.Ids.Count + 1; limit++)
        {
            IReadOnlyList<int> ids = Tokenizer.EncodeToIds(Text, limit, out string? normalized, out int consumed);
            Assert.Null(normalized);
            Assert.True(ids.Count <= limit);
            Assert.Equal(Whole.Ids.Take(ids.Count), ids);
            Assert.Equal(consumed, Tokenizer.GetIndexByTokenCount(Text, limit, out _, out int count));
            Assert.Equal(ids.Count, count);
            Assert.Equal(Text[..consumed], Tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void Every_limit_from_the_end_gives_a_suffix_that_begins_between_characters()
    {
        for (int limit = 1; limit <= Whole.Ids.Count + 1; limit++)
        {
            int index = Tokenizer.GetIndexByTokenCountFromEnd(Text, limit, out _, out int count);
            Assert.True(count <= limit);
            Assert.Equal(Text[index..], Tokenizer.Decode(Whole.Ids.Skip(Whole.Ids.Count - count)));
        }
    }

    [Fact]
    public void Decoding_into_a_buffer_writes_whole_characters_and_says_how_many_ids_they_are()
    {
        var buffer = new char[Text.Length];
        Assert.Equal(OperationStatus.Done, Tokenizer.Decode(Whole.Ids, buffer, out int all, out int written));
        Assert.Equal(Whole.Ids.Count, all);
        Assert.Equal(Text, new string(buffer, 0, written));
        for (int room = 0; room < Text.Length; room++)
        {
            Assert.Equal(OperationStatus.DestinationTooSmall, Tokenizer.Decode(Whole.Ids, buffer.AsSpan(0, room), out int some, out written));
            Assert.Equal(Text[..written], Tokenizer.Decode(Whole.Ids.Take(some)));
            Assert.Equal(Text[..written], new string(buffer, 0, written));
        }
    }

    [Fact]
    public void Normalization_and_pre_tokenization_can_be_left_out()
    {
        const string decomposed = "cafe\u0301";
        Assert.Equal("caf\u00E9", Tokenizer.Decode(Tokenizer.EncodeToIds(decomposed)));
        Assert.Equal(decomposed, Tokenizer.Decode(Tokenizer.EncodeToIds(decomposed, considerNormalization: false)));
        Assert.Equal("a 1 b", Tokenizer.Decode(Tokenizer.EncodeToIds("a 1 b", considerPreTokenization: false)));
    }

    [Fact]
    public void Empty_text_has_no_tokens() => Assert.Empty(Tokenizer.EncodeToIds(""));
}
