using Google.Protobuf;
using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>Tokenizers that have no tokenizer.json.</summary>
public sealed class SourceTests
{
    [Theory]
    [InlineData("This is a test", "\u2581This \u2581is \u2581a \u2581t est", "285 46 10 170 382")]
    [InlineData("I was born in 92000, and this is fals\u00E9.", "\u2581I \u2581was \u2581b or n \u2581in \u2581 9 2 0 0 0 , \u2581and \u2581this \u2581is \u2581f al s \u00E9 .", "8 21 84 55 24 19 7 0 602 347 347 347 3 12 66 46 72 80 6 0 4")]
    public void A_Unigram_model_of_SentencePiece_gives_the_pieces_that_its_library_gives(string text, string tokens, string ids)
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", "unigram", "transformers-fixtures", "test_sentencepiece.model"));
        Encoding encoding = tokenizer.Encode(text);
        Assert.Equal(tokens, string.Join(' ', encoding.Tokens));
        Assert.Equal(ids, string.Join(' ', encoding.Ids));
    }

    [Fact]
    public void The_Llama_model_of_SentencePiece_gives_the_ids_of_llama_cpp()
    {
        string inputs = TestPaths.SharedOrSkip("tokenizers", "llama.cpp", "ggml-vocab-llama-spm.gguf.inp");
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(TestPaths.SharedOrSkip("tokenizers", "llama-tokenizer.model"));
        string[] texts = File.ReadAllText(inputs).Split("\n__ggml_vocab_test__\n");
        string[] ids = File.ReadAllLines(Path.ChangeExtension(inputs, ".out"));
        for (int index = 0; index < ids.Length; index++)
            Assert.Equal(ids[index].Trim(), string.Join(' ', tokenizer.EncodeIds(texts[index], addSpecialTokens: false)));
    }

    [Fact]
    public void Spaces_are_treated_as_the_model_says()
    {
        Assert.Equal(["\u2581a", "\u2581b"], Load(Model(removeExtra: true)).Encode("  a   b ").Tokens);
        Assert.Equal(["\u2581", "\u2581", "\u2581a", "\u2581", "\u2581b", "\u2581"], Load(Model(removeExtra: false)).Encode("  a  b ").Tokens);
        Assert.Equal(["a", "\u2581b"], Load(Model(removeExtra: true, dummyPrefix: false)).Encode("a b").Tokens);
        Assert.Equal("a b", Load(Model(removeExtra: true)).Decode(Load(Model(removeExtra: true)).EncodeIds("a b"), skipSpecialTokens: false));
    }

    [Fact]
    public void Control_pieces_are_special_and_user_defined_ones_are_not()
    {
        PretrainedTokenizer tokenizer = Load(Model(removeExtra: false));
        Assert.Equal("a", tokenizer.Decode(tokenizer.EncodeIds("<s>a"), skipSpecialTokens: true));
        Assert.Contains("<u>", tokenizer.Encode("a<u>").Tokens);
        Assert.Equal("a<u>", tokenizer.Decode(tokenizer.EncodeIds("a<u>"), skipSpecialTokens: true));
    }

    [Fact]
    public void A_class_that_begins_texts_does_so_unless_the_configuration_says_otherwise()
    {
        Assert.Equal(["<s>", "\u2581a"], Load(Model(false), """{"tokenizer_class":"LlamaTokenizer"}""").Encode("a").Tokens);
        Assert.Equal(["\u2581a"], Load(Model(false), """{"tokenizer_class":"LlamaTokenizer","add_bos_token":false}""").Encode("a").Tokens);
        Assert.Equal(["\u2581a", "</s>"], Load(Model(false), """{"tokenizer_class":"T5Tokenizer"}""").Encode("a").Tokens);
        Assert.Contains("XLMRobertaTokenizer", Assert.Throws<NotSupportedException>(() => Load(Model(false), """{"tokenizer_class":"XLMRobertaTokenizer"}""")).Message);
        Assert.Equal(["<new>", "\u2581a"], Load(Model(false), """{"add_bos_token":true,"bos_token":"<new>"}""").Encode("a").Tokens);
        Assert.Contains("eos_token", Assert.Throws<FormatException>(() => Load(Model(false), """{"add_eos_token":true,"eos_token":""}""")).Message);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF }, "no SentencePiece model")]
    [InlineData(new byte[] { }, "no pieces")]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07 }, "no SentencePiece model")] // a piece of two billion bytes
    public void Broken_models_are_format_errors(byte[] model, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => Load(model)).Message);

    [Fact]
    public void Models_of_other_types_are_named_as_unsupported() =>
        Assert.Contains("model type 3", Assert.Throws<NotSupportedException>(() => Load([.. Model(false), 0x12, 2, 0x18, 3])).Message);

    [Fact]
    public void Vocabulary_and_merges_make_the_form_that_the_class_names()
    {
        static PretrainedTokenizer Load(string configuration, string merges = "#version: 0.2\na b\n") => PretrainedTokenizer.Load(new Dictionary<string, byte[]>
        {
            ["vocab.json"] = "{\"a\":0,\"b\":1,\"ab\":2,\"\u0120\":3,\"<s>\":4,\"</s>\":5,\"<|endoftext|>\":6}"u8.ToArray(),
            ["merges.txt"] = System.Text.Encoding.UTF8.GetBytes(merges),
            ["tokenizer_config.json"] = System.Text.Encoding.UTF8.GetBytes(configuration),
        });
        Assert.Equal(["ab", "\u0120", "ab"], Load("{}").Encode("ab ab").Tokens);
        Assert.Equal(["\u0120", "ab"], Load("""{"add_prefix_space":true}""").Encode("ab").Tokens);
        Assert.Equal(["<s>", "ab", "</s>"], Load("""{"tokenizer_class":"RobertaTokenizer","cls_token":"<s>","sep_token":"</s>"}""").Encode("ab").Tokens);
        Assert.Equal(["<|endoftext|>", "ab"], Load("""{"tokenizer_class":"GPT2Tokenizer","add_bos_token":true,"bos_token":"<|endoftext|>"}""").Encode("ab").Tokens);
        Assert.Contains("line 2", Assert.Throws<FormatException>(() => Load("{}", "a b\na b c\n")).Message);
        Assert.Contains("model.merges[0]", Assert.Throws<FormatException>(() => Load("{}", "a x\n")).Message);
    }

    [Fact]
    public void A_list_of_word_pieces_makes_the_tokenizer_of_BERT()
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(new Dictionary<string, byte[]>
        {
            ["vocab.txt"] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhe\n##llo\n!\n"u8.ToArray(),
            ["special_tokens_map.json"] = """{"pad_token":"[PAD]"}"""u8.ToArray(),
        });
        Assert.Equal(["[CLS]", "he", "##llo", "!", "[UNK]", "[MASK]", "[SEP]"], tokenizer.Encode("H\u00E9llo! x [MASK]").Tokens);
        Assert.Equal(0, tokenizer.PadTokenId);
        Assert.Equal("hello!", tokenizer.Decode(tokenizer.EncodeIds("hello!"), skipSpecialTokens: true));
    }

    [Fact]
    public void Added_tokens_come_from_the_decoder_then_from_the_older_files()
    {
        var files = new Dictionary<string, byte[]>
        {
            ["vocab.json"] = """{"a":0,"b":1,"\u0120":2}"""u8.ToArray(),
            ["merges.txt"] = ""u8.ToArray(),
            ["added_tokens.json"] = """{"<x>":3,"<y>":4}"""u8.ToArray(),
            ["special_tokens_map.json"] = """{"pad_token":{"content":"<y>","lstrip":true},"additional_special_tokens":["<z>"]}"""u8.ToArray(),
        };
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(files);
        Assert.Equal([0, 3, 4, 5], tokenizer.EncodeIds("a<x><y><z>"));
        Assert.Equal("a<x>", tokenizer.Decode([0, 3, 4, 5], skipSpecialTokens: true));
        Assert.Equal(4, tokenizer.PadTokenId);
        files["tokenizer_config.json"] = """{"added_tokens_decoder":{"7":{"content":"<x>","rstrip":true,"special":true}}}"""u8.ToArray();
        files.Remove("added_tokens.json");
        tokenizer = PretrainedTokenizer.Load(files);
        Assert.Equal(["a", "<x>  ", "b"], tokenizer.Encode("a<x>  b").Tokens);
        Assert.Equal("", tokenizer.Decode([7], skipSpecialTokens: true));
        files["tokenizer_config.json"] = """{"added_tokens_decoder":{"0":{"content":"<x>"},"1":{"content":"<x>"}}}"""u8.ToArray();
        Assert.Contains("twice", Assert.Throws<FormatException>(() => PretrainedTokenizer.Load(files)).Message);
    }

    [Fact]
    public void What_was_made_is_saved_and_loaded_again_as_it_is()
    {
        string folder = Directory.CreateTempSubdirectory("mlcomponents-").FullName;
        try
        {
            PretrainedTokenizer tokenizer = Load(Model(removeExtra: true), """{"tokenizer_class":"LlamaTokenizer"}""");
            tokenizer.Save(folder);
            Assert.Equal(["tokenizer.json", "tokenizer_config.json"], Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)!);
            PretrainedTokenizer again = PretrainedTokenizer.Load(folder);
            Assert.Equal(tokenizer.Files["tokenizer.json"], again.Files["tokenizer.json"]);
            Assert.Equal(tokenizer.Encode("a b").Ids, again.Encode("a b").Ids);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_file_is_taken_for_what_its_name_says()
    {
        string folder = Directory.CreateTempSubdirectory("mlcomponents-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "other.model"), Model(removeExtra: true));
            Assert.Equal(["\u2581a"], PretrainedTokenizer.Load(Path.Combine(folder, "other.model")).Encode("a").Tokens);
            File.WriteAllText(Path.Combine(folder, "vocab.json"), """{"a":0}""");
            Assert.Contains("merges.txt", Assert.Throws<FileNotFoundException>(() => PretrainedTokenizer.Load(Path.Combine(folder, "vocab.json"))).Message);
            File.WriteAllText(Path.Combine(folder, "merges.txt"), "");
            Assert.Equal(["a"], PretrainedTokenizer.Load(Path.Combine(folder, "vocab.json")).Encode("a").Tokens);
            Assert.Equal(["a"], PretrainedTokenizer.Load(folder).Encode("a").Tokens);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A Unigram model of a few pieces, as SentencePiece writes it.</summary>
    internal static byte[] Model(bool removeExtra, bool dummyPrefix = true)
    {
        (string Text, float Score, int Kind)[] pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("<u>", 0, 4), ("\u2581", -3, 1), ("a", -2, 1), ("b", -2, 1), ("\u2581a", -2.5f, 1), ("\u2581b", -2.5f, 1)];
        return Message(output =>
        {
            foreach ((string text, float score, int kind) in pieces)
            {
                Field(output, 1, Message(piece =>
                {
                    piece.WriteTag(1, WireFormat.WireType.LengthDelimited);
                    piece.WriteString(text);
                    piece.WriteTag(2, WireFormat.WireType.Fixed32);
                    piece.WriteFloat(score);
                    piece.WriteTag(3, WireFormat.WireType.Varint);
                    piece.WriteEnum(kind);
                }));
            }

            Field(output, 3, Message(normalizer =>
            {
                normalizer.WriteTag(3, WireFormat.WireType.Varint);
                normalizer.WriteBool(dummyPrefix);
                normalizer.WriteTag(4, WireFormat.WireType.Varint);
                normalizer.WriteBool(removeExtra);
            }));
        });
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true)) write(output);
        return stream.ToArray();
    }

    private static void Field(CodedOutputStream output, int number, byte[] message)
    {
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(message));
    }

    private static PretrainedTokenizer Load(byte[] model, string? configuration = null)
    {
        var files = new Dictionary<string, byte[]> { ["tokenizer.model"] = model };
        if (configuration is not null) files["tokenizer_config.json"] = System.Text.Encoding.UTF8.GetBytes(configuration);
        return PretrainedTokenizer.Load(files);
    }
}
