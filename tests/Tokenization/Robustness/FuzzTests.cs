namespace MLComponents.Tokenization.Tests;

/// <summary>
/// Files that are cut off, changed at random or put together from parts of others: loading and encoding end, with a tokenizer or with one
/// of the documented exceptions. MLCOMPONENTS_FUZZ is the number of trials of each kind, for longer runs.
/// </summary>
public sealed class FuzzTests
{
    private const long MostBytes = 500_000_000; // for a file of less than 100 KB

    private static readonly int Trials = int.TryParse(Environment.GetEnvironmentVariable("MLCOMPONENTS_FUZZ"), out int trials) ? trials : 150;
    private static readonly string Trained = Path.GetDirectoryName(Samples.Folder("x"))!;
    private static readonly string[] Texts = ["Hello w\u00F6rld, it's <s> 2024!", "\uD800\u0301 \U0001F642\u4E2D  \r\n\t", ""];

    [Fact]
    public void Changed_files_give_a_tokenizer_or_a_documented_exception()
    {
        string[] folders = [.. Directory.EnumerateDirectories(Trained).Order(StringComparer.Ordinal)];
        var random = new Random(21);
        for (int trial = 0; trial < Trials; trial++)
        {
            byte[] json = File.ReadAllBytes(Path.Combine(folders[trial % folders.Length], "tokenizer.json"));
            Try(trial, "tokenizer.json", Change(json, random, "{}[]\",:0129-.eTfn\\ua\u0001"u8));
        }
    }

    [Fact]
    public void Changed_values_give_a_tokenizer_or_a_documented_exception()
    {
        // Valid JSON with values in the wrong places reaches further into the readers than broken JSON does.
        string[] values = ["null", "true", "-1", "0", "99999999999", "1e400", "\"\"", "\"x\"", "\"\\ud800\"", "[]", "{}", "[[]]", "{\"type\":\"Sequence\"}", "[null]", "1.5", "\"(?:a*)*b\""];
        string[] folders = [.. Directory.EnumerateDirectories(Trained).Order(StringComparer.Ordinal)];
        var random = new Random(22);
        for (int trial = 0; trial < Trials; trial++)
        {
            string json = File.ReadAllText(Path.Combine(folders[trial % folders.Length], "tokenizer.json"));
            int model = json.IndexOf("\"vocab\"", StringComparison.Ordinal);
            for (int change = random.Next(1, 3); change > 0; change--)
            {
                // The value behind a colon before the vocabulary, which is nearly all of the file.
                int colon = json.IndexOf(':', random.Next(model));
                int end = json.IndexOfAny([',', '}', '\n'], colon);
                if (end > colon) json = json[..(colon + 1)] + values[random.Next(values.Length)] + json[end..];
            }

            Try(trial, "tokenizer.json", System.Text.Encoding.UTF8.GetBytes(json));
        }
    }

    [Fact]
    public void Changed_SentencePiece_models_give_a_tokenizer_or_a_documented_exception()
    {
        string[] models = [.. Directory.EnumerateFiles(Trained, "tokenizer.model", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        var random = new Random(23);
        for (int trial = 0; trial < Trials; trial++)
        {
            byte[] model = trial % 3 == 2 ? SourceTests.Model(removeExtra: trial % 2 == 0) : File.ReadAllBytes(models[trial % models.Length]);
            Try(trial, "tokenizer.model", Change(model, random, [0, 1, 2, 8, 10, 16, 18, 26, 127, 128, 255]));
        }
    }

    [Fact]
    public void Random_bytes_are_no_tokenizer()
    {
        var random = new Random(24);
        for (int trial = 0; trial < Trials; trial++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            foreach (string file in new[] { "tokenizer.json", "tokenizer.model", "vocab.txt" }) Try(trial, file, bytes);
        }
    }

    [Fact]
    public void Random_regular_expressions_are_refused_or_end()
    {
        var random = new Random(25);
        for (int trial = 0; trial < 10 * Trials; trial++)
        {
            string pattern = string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ =>
                new[] { "a", "b", "\\s", "\\p{L}", "[^a]", "[a-c]", "(", ")", "(?:", "(?=", "(?!", "(?<=", "(?>", "|", "*", "+", "?", "{2}", "{1,3}", "^", "$", "\\b", "(?i)", ".", "[", "]", "\\" }[random.Next(27)]));
            try
            {
                TextPattern compiled = TextPattern.FromRegex(pattern);
                foreach (string text in (string[])["aab abc\nBA", "", new string('a', 30) + "c"])
                {
                    var pieces = new PieceList();
                    compiled.Split(text, 0, pieces);
                    Assert.Equal(text, string.Concat(Enumerable.Range(0, pieces.Count).Select(piece => text[pieces.Start(piece)..pieces.End(piece)])));
                }
            }
            catch (Exception problem) when (problem is FormatException or NotSupportedException or InvalidOperationException)
            {
                Assert.Contains(pattern, problem.Message);
            }
        }
    }

    // A part that is cut off, bytes that are changed, or a piece that is moved.
    private static byte[] Change(byte[] content, Random random, ReadOnlySpan<byte> bytes)
    {
        byte[] changed = [.. content];
        switch (random.Next(4))
        {
            case 0:
                return changed[..random.Next(changed.Length)];
            case 1:
                int from = random.Next(changed.Length), length = random.Next(Math.Min(200, changed.Length - from));
                return [.. changed[..from], .. changed[(from + length)..]];
            default:
                int reach = random.Next(2) == 0 ? Math.Min(3000, changed.Length) : changed.Length;
                for (int change = random.Next(1, 6); change > 0; change--) changed[random.Next(reach)] = bytes[random.Next(bytes.Length)];
                return changed;
        }
    }

    private static void Try(int trial, string file, byte[] content)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(new Dictionary<string, byte[]> { [file] = content });
            foreach (string text in Texts)
            {
                int[] ids = tokenizer.EncodeIds(text);
                Assert.Equal(ids, tokenizer.Encode(text).Ids);
                tokenizer.Decode(ids, skipSpecialTokens: false);
            }
        }
        catch (Exception problem) when (problem is FormatException or NotSupportedException or InvalidOperationException)
        {
            Assert.NotEmpty(problem.Message);
        }

        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostBytes, $"trial {trial} of {file} allocated {GC.GetAllocatedBytesForCurrentThread() - before} bytes");
    }
}
