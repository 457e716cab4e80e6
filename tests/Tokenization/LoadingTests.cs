using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

public sealed class LoadingTests
{
    public static IEnumerable<TheoryDataRow<string>> AllTrained() => GoldenSet.TrainedFolders().Select(found =>
        new TheoryDataRow<string>(found.Folder) { TestDisplayName = $"{Path.GetFileName(found.Folder)}: loads, {found.Set}" });

    [Theory]
    [MemberData(nameof(AllTrained))]
    public void Every_trained_tokenizer_loads(string folder) => Assert.True(PretrainedTokenizer.Load(folder).VocabularySize > 0);

    [Fact]
    public void A_save_over_another_replaces_complete_files_and_leaves_nothing_else()
    {
        PretrainedTokenizer tokenizer = Samples.Load("qwen2-like");
        string folder = Directory.CreateTempSubdirectory("mlcomponents-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), new string('x', 10_000_000));

            // A reader that has the old file open keeps it whole: the new one takes its name, not its bytes.
            using (var old = new FileStream(Path.Combine(folder, "tokenizer.json"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
            {
                tokenizer.Save(folder);
                Assert.Equal(10_000_000, old.Length);
            }

            Assert.Equal(tokenizer.Files.Keys.Order(), Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Order());
            Assert.All(tokenizer.Files, file => Assert.Equal(file.Value, File.ReadAllBytes(Path.Combine(folder, file.Key))));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("normalizer", """{"type":"Precomposed"}""", "normalizer is of the type Precomposed")]
    [InlineData("pre_tokenizer", """{"type":"UnicodeScripts"}""", "pre_tokenizer is of the type UnicodeScripts")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Pieces"}]}""", "pre_tokenizer.pretokenizers[0] is of the type Pieces")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"\\p{Klingon}"},"behavior":"Isolated"}""", "Klingon")]
    [InlineData("post_processor", """{"type":"Postprocessing"}""", "post_processor is of the type Postprocessing")]
    [InlineData("decoder", """{"type":"Sentences"}""", "decoder is of the type Sentences")]
    [InlineData("decoder", """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Sentences"}]}""", "decoder.decoders[1] is of the type Sentences")]
    [InlineData("model.type", "\"Trigram\"", "model.type is 'Trigram'")]
    [InlineData("model.dropout", "0.1", "model.dropout")]
    public void What_is_not_supported_is_named(string path, string value, string named) =>
        Assert.Contains(named, Assert.Throws<NotSupportedException>(() => Samples.LoadChanged(json => Set(json, path, value))).Message);

    [Theory]
    [InlineData("normalizer", "3", "normalizer")]
    [InlineData("normalizer", """{"kind":"NFC"}""", "normalizer.type must be a string")]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[null]}""", "normalizer.normalizers[0]")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{},"behavior":"Isolated"}""", "pre_tokenizer.pattern")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}""", "pre_tokenizer.pattern")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"String":"x"},"behavior":"Sideways"}""", "pre_tokenizer.behavior must be Removed")]
    [InlineData("added_tokens", """{"id":1}""", "added_tokens must be an array")]
    [InlineData("added_tokens", """[{"id":-1,"content":"x"}]""", "added_tokens[0].id")]
    [InlineData("added_tokens", """[{"id":99999999999,"content":"x"}]""", "added_tokens[0].id")]
    [InlineData("added_tokens", """[{"id":0,"content":"x"}]""", "which '!' has already")]
    [InlineData("added_tokens", """[{"id":2000,"content":"<x>"},{"id":2001,"content":"!"}]""", "model.vocab gives it 0")]
    [InlineData("added_tokens", """[{"id":2000,"content":"<x>"},{"id":2000,"content":"<y>"}]""", "which '<x>' has already")]
    [InlineData("added_tokens", """[{"id":2000,"content":"<x>"},{"id":2001,"content":"<x>"}]""", "listed twice")]
    [InlineData("added_tokens", """[{"id":2000,"content":"\ud800"}]""", "valid Unicode")]
    [InlineData("model", "[]", "model must be an object")]
    [InlineData("model", "null", "model must be an object")]
    [InlineData("model.vocab", "[]", "model.vocab must be an object")]
    [InlineData("model.vocab", """{"a":0,"b":0}""", "'a' has already")]
    [InlineData("model.vocab", """{"a":0,"a":1}""", "listed twice")]
    [InlineData("model.vocab", """{"a":-1}""", "between 0 and")]
    [InlineData("model.vocab", """{"a":2000000000}""", "between 0 and")]
    [InlineData("model.vocab", """{"a":"0"}""", "whole numbers")]
    [InlineData("model.vocab", """{"a":1.5}""", "whole numbers")]
    [InlineData("model.merges", """["a b","a qqqq"]""", "model.merges[1] names 'qqqq'")]
    [InlineData("model.merges", """["a b","zq"]""", "model.merges[1] must be two tokens")]
    [InlineData("model.merges", """[["a"]]""", "model.merges[0]")]
    [InlineData("model.merges", """[["t","h","e"]]""", "model.merges[0] must have two parts")]
    [InlineData("model.merges", """[3]""", "model.merges[0]")]
    [InlineData("model.merges", """{}""", "model.merges must be an array")]
    public void What_is_wrong_is_named_with_its_place(string path, string value, string named)
    {
        // As text, for System.Text.Json would not write some of these.
        string message = Assert.Throws<FormatException>(() => Samples.LoadText(Changed(path, value))).Message;
        Assert.Contains(named, message);
        Assert.Contains("tokenizer.json", message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{} {}")]
    [InlineData("{\"model\":{\"vocab\":{\"a\":0},}}")]
    [InlineData("{\"model\":{},\"model\":{}}")]
    [InlineData("not json")]
    public void Broken_files_are_format_errors_that_name_the_file(string json) =>
        Assert.Contains("tokenizer.json", Assert.Throws<FormatException>(() => Samples.LoadText(json)).Message);

    [Fact]
    public void Every_truncation_and_many_corruptions_of_a_file_give_documented_exceptions_only()
    {
        byte[] json = File.ReadAllBytes(Path.Combine(Samples.Folder("mixed-added"), "tokenizer.json"));
        var random = new Random(9);
        for (int trial = 0; trial < 300; trial++)
        {
            byte[] changed = trial % 2 == 0 ? json[..random.Next(json.Length)] : [.. json];
            for (int change = 0; trial % 2 == 1 && change < 3; change++)
                changed[random.Next(trial % 4 == 1 ? 3000 : changed.Length)] = (byte)"{}[]\",:0129-.eTfn\\ua\u0001"[random.Next(21)];
            try
            {
                _ = PretrainedTokenizer.Load(new Dictionary<string, byte[]> { ["tokenizer.json"] = changed }).EncodeIds("Hello w\u00F6rld");
            }
            catch (Exception problem) when (problem is FormatException or NotSupportedException)
            {
                Assert.Contains("tokenizer.json", problem.Message);
            }
        }
    }

    [Fact]
    public void Missing_files_are_named_with_what_there_is()
    {
        string folder = Directory.CreateTempSubdirectory("tokenizer").FullName;
        File.WriteAllText(Path.Combine(folder, "weights.bin"), "");
        FileNotFoundException problem = Assert.Throws<FileNotFoundException>(() => PretrainedTokenizer.Load(folder));
        Assert.Contains("weights.bin", problem.Message);
        Assert.Contains(folder, Assert.Throws<FileNotFoundException>(() => PretrainedTokenizer.Load(Path.Combine(folder, "none"))).Message);
        Assert.Throws<ArgumentException>(() => PretrainedTokenizer.Load(new Dictionary<string, byte[]>()));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Saving_writes_the_files_unchanged()
    {
        PretrainedTokenizer tokenizer = Samples.Load("qwen2-like");
        string folder = Path.Combine(Directory.CreateTempSubdirectory("tokenizer").FullName, "inner");
        tokenizer.Save(folder);
        Assert.Equal(["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"], tokenizer.Files.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, byte[] content) in tokenizer.Files) Assert.Equal(content, File.ReadAllBytes(Path.Combine(folder, name)));
        PretrainedTokenizer again = PretrainedTokenizer.Load(folder);
        Assert.Equal(tokenizer.Encode("Hello <|im_end|>").Ids, again.Encode("Hello <|im_end|>").Ids);
        Assert.Equal(tokenizer.EosTokenId, again.EosTokenId);
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    private static string Changed(string path, string value)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Combine(Samples.Folder("qwen2-like"), "tokenizer.json")))!.AsObject();
        Set(json, path, "\"@here@\"");
        return json.ToJsonString().Replace("\"@here@\"", value);
    }

    private static void Set(JsonObject json, string path, string value)
    {
        string[] names = path.Split('.');
        JsonObject target = names.Length == 1 ? json : json[names[0]]!.AsObject();
        target[names[^1]] = JsonNode.Parse(value);
    }
}
