using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>Writes a tokenizer.json in the order and with the spelling of the reference.</summary>
internal static class TokenizerJsonWriter
{
    /// <summary>How JSON is written.</summary>
    public static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file.</summary>
    /// <param name="components">The parts; absent ones are null.</param>
    /// <param name="addedTokens">The added tokens.</param>
    /// <param name="writeModel">Writes the properties of the model.</param>
    public static byte[] Write(TokenizerComponents components, IEnumerable<AddedToken> addedTokens, Action<Utf8JsonWriter> writeModel) => WriteObject(writer =>
    {
        writer.WriteString("version", "1.0");
        writer.WriteNull("truncation");
        writer.WriteNull("padding");
        writer.WritePropertyName("added_tokens");
        WriteAddedTokens(writer, addedTokens);
        Write(writer, "normalizer", components.Normalizer);
        Write(writer, "pre_tokenizer", components.PreTokenizer);
        Write(writer, "post_processor", components.PostProcessor);
        Write(writer, "decoder", components.Decoder);
        writer.WriteStartObject("model");
        writeModel(writer);
        writer.WriteEndObject();
    });

    /// <summary>Writes an array of added tokens.</summary>
    public static void WriteAddedTokens(Utf8JsonWriter writer, IEnumerable<AddedToken> tokens)
    {
        writer.WriteStartArray();
        foreach (AddedToken token in tokens)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", token.Id);
            WriteFlags(writer, token);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes <c>added_tokens_decoder</c> of a tokenizer_config.json.</summary>
    public static void WriteAddedTokensDecoder(Utf8JsonWriter writer, IEnumerable<AddedToken> tokens)
    {
        writer.WriteStartObject("added_tokens_decoder");
        foreach (AddedToken token in tokens)
        {
            writer.WriteStartObject(FormattableString.Invariant($"{token.Id}"));
            WriteFlags(writer, token);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    // What an added token is, without its id.
    private static void WriteFlags(Utf8JsonWriter writer, AddedToken token)
    {
        writer.WriteString("content", token.Content);
        writer.WriteBoolean("single_word", token.SingleWord);
        writer.WriteBoolean("lstrip", token.StripLeft);
        writer.WriteBoolean("rstrip", token.StripRight);
        writer.WriteBoolean("normalized", token.Normalized);
        writer.WriteBoolean("special", token.Special);
    }

    /// <summary>Writes a BPE model.</summary>
    public static void WriteBpe(Utf8JsonWriter writer, BpeSettings settings, IEnumerable<(string Token, int Id)> vocabulary, IEnumerable<(string Left, string Right)> merges)
    {
        writer.WriteString("type", "BPE");
        writer.WriteNull("dropout");
        writer.WriteString("unk_token", settings.UnknownToken);
        writer.WriteString("continuing_subword_prefix", settings.ContinuingSubwordPrefix);
        writer.WriteString("end_of_word_suffix", settings.EndOfWordSuffix);
        writer.WriteBoolean("fuse_unk", settings.FuseUnknown);
        writer.WriteBoolean("byte_fallback", settings.ByteFallback);
        writer.WriteBoolean("ignore_merges", settings.IgnoreMerges);
        WriteVocabulary(writer, vocabulary);
        writer.WriteStartArray("merges");
        foreach ((string left, string right) in merges)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(left);
            writer.WriteStringValue(right);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes a Unigram model.</summary>
    public static void WriteUnigram(Utf8JsonWriter writer, int unknownId, bool byteFallback, IEnumerable<(string Token, double Score)> vocabulary)
    {
        writer.WriteString("type", "Unigram");
        if (unknownId < 0) writer.WriteNull("unk_id");
        else writer.WriteNumber("unk_id", unknownId);
        writer.WriteStartArray("vocab");
        foreach ((string token, double score) in vocabulary)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(token);
            writer.WriteNumberValue(score);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
        writer.WriteBoolean("byte_fallback", byteFallback);
    }

    /// <summary>Writes <c>vocab</c> as an object.</summary>
    public static void WriteVocabulary(Utf8JsonWriter writer, IEnumerable<(string Token, int Id)> vocabulary)
    {
        writer.WriteStartObject("vocab");
        foreach ((string token, int id) in vocabulary) writer.WriteNumber(token, id);
        writer.WriteEndObject();
    }

    /// <summary>Writes an object as a file.</summary>
    public static byte[] WriteObject(Action<Utf8JsonWriter> body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            body(writer);
            writer.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void Write(Utf8JsonWriter writer, string name, JsonNode? component)
    {
        writer.WritePropertyName(name);
        if (component is null) writer.WriteNullValue();
        else component.WriteTo(writer);
    }
}
