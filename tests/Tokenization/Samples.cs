using System.Text;
using System.Text.Json.Nodes;
using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>Tokenizers and texts that several tests use.</summary>
internal static class Samples
{
    private static readonly int[] Alphabet =
    [
        'a', 'b', 's', 't', 'S', 'L', 'l', 'e', 'r', 'v', 'm', 'd', '\'', ' ', ' ', ' ', '\t', '\r', '\n', '\n', '1', '2', '3', '.', ',', '!', '<', '|', '>',
        0x17F, 0xE9, 0xDF, 0x130, 0x301, 0x323, 0x345, 0x85, 0xA0, 0x1680, 0x2028, 0x3000, 0x200B, 0xFEFF, 0x1C, 0, 0x4E2D, 0x6587, 0x3042, 0x0E01,
        0x0E48, 0x0915, 0x093C, 0x1100, 0x1161, 0x11A8, 0xAC00, 0x05D0, 0x05B7, 0x212A, 0x2126, 0xBD, 0x661, 0xFFFD,
        0x1D400, 0x20000, 0x1F642, 0x1D7D8, 0x1F1E9, 0x10FFFF, 0x1D15E, 0x16FE0,
    ];

    public static string Folder(string name) => Path.Combine(TestPaths.Repository, "tests", "Fixtures", "tokenizers", "trained", name);

    public static PretrainedTokenizer Load(string name) => PretrainedTokenizer.Load(Folder(name));

    /// <summary>The Qwen2-like tokenizer.json with something changed.</summary>
    public static PretrainedTokenizer LoadChanged(Action<JsonObject> change)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder("qwen2-like"), "tokenizer.json")))!.AsObject();
        change(json);
        return LoadText(json.ToJsonString());
    }

    public static PretrainedTokenizer LoadText(string json) =>
        PretrainedTokenizer.Load(new Dictionary<string, byte[]> { ["tokenizer.json"] = System.Text.Encoding.UTF8.GetBytes(json) });

    /// <summary>A random text of characters that tokenizers treat differently; lone surrogates only where asked for.</summary>
    public static string RandomText(Random random, int length, bool loneSurrogates)
    {
        var text = new StringBuilder();
        for (int index = 0; index < length; index++)
        {
            if (loneSurrogates && random.Next(12) == 0) text.Append((char)random.Next(0xD800, 0xE000));
            else text.Append(char.ConvertFromUtf32(Alphabet[random.Next(Alphabet.Length)]));
        }

        return text.ToString();
    }

    /// <summary>The text as the reference would receive it.</summary>
    public static string WellFormed(string text)
    {
        var result = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes()) result.Append(rune);
        return result.ToString();
    }
}
