using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>Reads <c>model.vocab</c> straight from the file.</summary>
internal static class VocabularyReader
{
    private const string Path = "model.vocab";

    /// <summary>Reads an object from token to id.</summary>
    public static Vocabulary Read(TokenizerSections sections)
    {
        ReadOnlySpan<byte> json = Bytes(sections, "an object from token to id");
        var vocabulary = new Vocabulary(Math.Min(json.Count((byte)':'), json.Length / 12)); // colons may stand in tokens too
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw Wrong(sections, "must be an object from token to id");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string token = Text(sections, ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int id))
                throw Wrong(sections, $"must have whole numbers as ids, but the token '{token}' has another value");
            if (vocabulary.TryAdd(token, id) is { } problem) throw Wrong(sections, $"is wrong: the token '{token}' {problem}");
        }

        return vocabulary;
    }

    /// <summary>Reads an array of pairs of a token and its score; ids are places in it. Where a token is listed again the later id counts.</summary>
    public static Vocabulary ReadScored(TokenizerSections sections, out double[] scores)
    {
        ReadOnlySpan<byte> json = Bytes(sections, "an array of tokens with scores");
        var vocabulary = new Vocabulary(json.Length / 24);
        var all = new List<double>(json.Length / 24);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray) throw Wrong(sections, "must be an array of tokens with scores");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartArray || !reader.Read() || reader.TokenType != JsonTokenType.String)
                throw WrongPair(sections, all.Count);
            string token = Text(sections, ref reader);
            if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out double score) || !double.IsFinite(score))
                throw WrongPair(sections, all.Count);
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray) throw WrongPair(sections, all.Count);
            if (vocabulary.AddNext(token) is { } problem) throw Wrong(sections, $"is wrong: {problem}");
            all.Add(score);
        }

        scores = [.. all];
        return vocabulary;
    }

    private static ReadOnlySpan<byte> Bytes(TokenizerSections sections, string expected) => sections.Contains(Path)
        ? sections.Bytes(Path)
        : throw Wrong(sections, $"is missing; it must be {expected}");

    private static string Text(TokenizerSections sections, ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(sections, "must have tokens of valid Unicode");
        }
    }

    private static FormatException WrongPair(TokenizerSections sections, int index) =>
        new($"{sections.File}: {Path}[{index}] must be a token and a finite score, such as [\"a\", -1.5].");

    private static FormatException Wrong(TokenizerSections sections, string what) => new($"{sections.File}: {Path} {what}.");
}
