using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

/// <summary>Tokenizers of a single component over a vocabulary of words or characters, to look at what the component does.</summary>
internal static class ComponentKit
{
    /// <summary>A tokenizer with the given parts, as JSON; the model is WordLevel with nothing but an unknown token.</summary>
    public static PretrainedTokenizer Load(string? normalizer = null, string? preTokenizer = null, string? postProcessor = null, string? decoder = null, string? model = null, string addedTokens = "[]")
    {
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = JsonNode.Parse(addedTokens),
            ["normalizer"] = Parse(normalizer),
            ["pre_tokenizer"] = Parse(preTokenizer),
            ["post_processor"] = Parse(postProcessor),
            ["decoder"] = Parse(decoder),
            ["model"] = Parse(model ?? """{"type":"WordLevel","vocab":{"?":0},"unk_token":"?"}"""),
        };
        return Samples.LoadText(json.ToJsonString());
    }

    /// <summary>A Unigram model without tokens, so that every piece is one unknown token that shows its text.</summary>
    public const string ShowPieces = """{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0]]}""";

    /// <summary>The pieces that a normalizer and a pre-tokenizer make of a text, with their offsets in code points.</summary>
    public static string Pieces(string text, string? normalizer = null, string? preTokenizer = null)
    {
        Encoding encoding = Load(normalizer, preTokenizer, model: ShowPieces).Encode(text);
        return string.Join('|', encoding.Tokens.Zip(encoding.GetCodePointOffsets(), (token, offset) => $"{token}[{offset.Start},{offset.End}]"));
    }

    private static JsonNode? Parse(string? json) => json is null ? null : JsonNode.Parse(json);
}
