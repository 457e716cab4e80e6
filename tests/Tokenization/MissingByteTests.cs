using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

/// <summary>Vocabularies without a token for every byte, such as SmolLM2's: the reference drops such bytes without a word.</summary>
public sealed class MissingByteTests
{
    [Fact]
    public void Bytes_without_a_token_vanish_and_their_neighbours_become_neighbours()
    {
        PretrainedTokenizer tokenizer = WithoutByte(0x04);
        Assert.Equal(tokenizer.EncodeIds("--"), tokenizer.EncodeIds("-\u0004-"));
        Assert.Empty(tokenizer.EncodeIds("\u0004"));
        Assert.Empty(tokenizer.Encode("\u0004").Ids);
    }

    [Fact]
    public void Tokens_behind_a_vanished_byte_move_forward_as_in_the_reference()
    {
        // The byte 0x04 takes two places in the byte alphabet's UTF-8, so both tokens are measured within it.
        Encoding encoding = WithoutByte(0x04).Encode("\u0004,;");
        Assert.Equal([",", ";"], encoding.Tokens);
        Assert.Equal([0..1, 0..1], encoding.Offsets);
    }

    [Fact]
    public void Bytes_without_a_token_are_the_unknown_token_where_there_is_one()
    {
        Encoding encoding = WithoutByte(0x04, "!").Encode("-\u0004,");
        Assert.Equal(["-", "!", ","], encoding.Tokens);
        Assert.Equal([0..1, 1..2, 2..3], encoding.Offsets);
    }

    private static PretrainedTokenizer WithoutByte(byte value, string? unknown = null) => Samples.LoadChanged(json =>
    {
        string token = ByteAlphabet.ToCharacter(value).ToString();
        json["model"]!["unk_token"] = unknown;
        Assert.True(json["model"]!["vocab"]!.AsObject().Remove(token));
        JsonArray merges = json["model"]!["merges"]!.AsArray();
        foreach (JsonNode merge in merges.Where(merge => merge!.ToJsonString().Contains(token)).ToList()!) merges.Remove(merge);
    });
}
