using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>Writes the files of a tokenizer in the layout of Qwen2's.</summary>
internal static class Qwen2FileWriter
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes tokenizer.json; special tokens follow the given ones.</summary>
    public static byte[] WriteTokenizer(IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges) => Write(writer =>
    {
        writer.WriteString("version", "1.0");
        writer.WriteNull("truncation");
        writer.WriteNull("padding");
        writer.WriteStartArray("added_tokens");
        for (int index = 0; index < ByteLevelBpeTrainer.SpecialTokens.Length; index++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", tokens.Count + index);
            WriteFlags(writer, ByteLevelBpeTrainer.SpecialTokens[index]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("normalizer");
        writer.WriteString("type", "NFC");
        writer.WriteEndObject();
        writer.WriteStartObject("pre_tokenizer");
        writer.WriteString("type", "Sequence");
        writer.WriteStartArray("pretokenizers");
        writer.WriteStartObject();
        writer.WriteString("type", "Split");
        writer.WriteStartObject("pattern");
        writer.WriteString("Regex", PublishedPattern.Qwen2);
        writer.WriteEndObject();
        writer.WriteString("behavior", "Isolated");
        writer.WriteBoolean("invert", false);
        writer.WriteEndObject();
        writer.WriteStartObject();
        WriteByteLevel(writer);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        foreach (string component in new[] { "post_processor", "decoder" })
        {
            writer.WriteStartObject(component);
            WriteByteLevel(writer);
            writer.WriteEndObject();
        }

        WriteModel(writer, tokens, merges);
    });

    /// <summary>Writes tokenizer_config.json.</summary>
    public static byte[] WriteConfiguration(int firstSpecialId, int modelMaxLength) => Write(writer =>
    {
        writer.WriteBoolean("add_bos_token", false);
        writer.WriteBoolean("add_prefix_space", false);
        writer.WriteStartObject("added_tokens_decoder");
        for (int index = 0; index < ByteLevelBpeTrainer.SpecialTokens.Length; index++)
        {
            writer.WriteStartObject(FormattableString.Invariant($"{firstSpecialId + index}"));
            WriteFlags(writer, ByteLevelBpeTrainer.SpecialTokens[index]);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteStartArray("additional_special_tokens");
        foreach (string token in ByteLevelBpeTrainer.SpecialTokens.Skip(1)) writer.WriteStringValue(token);
        writer.WriteEndArray();
        writer.WriteNull("bos_token");
        writer.WriteBoolean("clean_up_tokenization_spaces", false);
        writer.WriteString("eos_token", ByteLevelBpeTrainer.EndOfText);
        writer.WriteString("errors", "replace");
        writer.WriteNumber("model_max_length", modelMaxLength);
        writer.WriteString("pad_token", ByteLevelBpeTrainer.EndOfText);
        writer.WriteBoolean("split_special_tokens", false);
        writer.WriteString("tokenizer_class", "Qwen2Tokenizer");
        writer.WriteNull("unk_token");
    });

    private static void WriteModel(Utf8JsonWriter writer, IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges)
    {
        writer.WriteStartObject("model");
        writer.WriteString("type", "BPE");
        writer.WriteNull("dropout");
        writer.WriteNull("unk_token");
        writer.WriteString("continuing_subword_prefix", "");
        writer.WriteString("end_of_word_suffix", "");
        writer.WriteBoolean("fuse_unk", false);
        writer.WriteBoolean("byte_fallback", false);
        writer.WriteBoolean("ignore_merges", false);
        writer.WriteStartObject("vocab");
        for (int id = 0; id < tokens.Count; id++) writer.WriteNumber(tokens[id], id);
        writer.WriteEndObject();
        writer.WriteStartArray("merges");
        foreach ((string left, string right) in merges) writer.WriteStringValue(left + " " + right);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "ByteLevel");
        writer.WriteBoolean("add_prefix_space", false);
        writer.WriteBoolean("trim_offsets", false);
        writer.WriteBoolean("use_regex", false);
    }

    private static void WriteFlags(Utf8JsonWriter writer, string content)
    {
        writer.WriteString("content", content);
        writer.WriteBoolean("single_word", false);
        writer.WriteBoolean("lstrip", false);
        writer.WriteBoolean("rstrip", false);
        writer.WriteBoolean("normalized", false);
        writer.WriteBoolean("special", true);
    }

    private static byte[] Write(Action<Utf8JsonWriter> body)
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
}
