using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>Reads <c>model.vocab</c> and <c>model.merges</c> of a BPE model straight from the file.</summary>
internal static class BpeReader
{
    /// <summary>Reads the vocabulary, an object from token to id.</summary>
    public static Vocabulary ReadVocabulary(TokenizerSections sections)
    {
        const string path = "model.vocab";
        if (!sections.Contains(path)) throw new FormatException($"{sections.File}: {path} is missing; it must be an object from token to id.");
        ReadOnlySpan<byte> json = sections.Bytes(path);
        var vocabulary = new Vocabulary(json.Length / 24);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw Wrong(sections, path, "must be an object from token to id");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string token = Text(sections, path, ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int id))
                throw Wrong(sections, path, $"must have whole numbers as ids, but the token '{token}' has another value");
            if (vocabulary.TryAdd(token, id) is { } problem) throw Wrong(sections, path, $"is wrong: the token '{token}' {problem}");
        }

        return vocabulary;
    }

    /// <summary>Reads the merges, as texts <c>"a b"</c> or as pairs <c>["a", "b"]</c>.</summary>
    public static MergeTable ReadMerges(TokenizerSections sections, Vocabulary vocabulary)
    {
        const string path = "model.merges";
        if (!sections.Contains(path)) throw new FormatException($"{sections.File}: {path} is missing; it must be an array of merges.");
        ReadOnlySpan<byte> json = sections.Bytes(path);
        var merges = new MergeTable(vocabulary.Count);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray) throw Wrong(sections, path, "must be an array");
        var buffer = new char[256];
        for (int rank = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; rank++)
        {
            int split = ReadMerge(sections, rank, ref reader, ref buffer, out int length);
            ReadOnlySpan<char> left = buffer.AsSpan(0, split);
            ReadOnlySpan<char> right = buffer.AsSpan(split, length - split);
            int leftId = Id(sections, rank, vocabulary, left);
            int rightId = Id(sections, rank, vocabulary, right);
            merges.Set(leftId, rightId, rank, Id(sections, rank, vocabulary, buffer.AsSpan(0, length)));
        }

        return merges;
    }

    // Leaves both parts one behind the other in the buffer; returns where the second begins.
    private static int ReadMerge(TokenizerSections sections, int rank, ref Utf8JsonReader reader, ref char[] buffer, out int length)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            length = CopyText(sections, rank, ref reader, ref buffer, 0);
            int space = buffer.AsSpan(0, length).IndexOf(' ');
            if (space <= 0 || space == length - 1 || buffer.AsSpan(space + 1, length - space - 1).Contains(' '))
                throw WrongMerge(sections, rank, $"must be two tokens with one space between them, but is '{buffer.AsSpan(0, length)}'");
            buffer.AsSpan(space + 1, length - space - 1).CopyTo(buffer.AsSpan(space));
            length--;
            return space;
        }

        if (reader.TokenType != JsonTokenType.StartArray) throw WrongMerge(sections, rank, "must be a text or an array of two texts");
        int split = ReadPart(sections, rank, ref reader, ref buffer, 0);
        length = split + ReadPart(sections, rank, ref reader, ref buffer, split);
        reader.Read();
        return reader.TokenType == JsonTokenType.EndArray ? split : throw WrongMerge(sections, rank, "must have two parts, but has more");
    }

    private static int ReadPart(TokenizerSections sections, int rank, ref Utf8JsonReader reader, ref char[] buffer, int at)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String
            ? CopyText(sections, rank, ref reader, ref buffer, at)
            : throw WrongMerge(sections, rank, "must be two texts");
    }

    private static int CopyText(TokenizerSections sections, int rank, ref Utf8JsonReader reader, ref char[] buffer, int at)
    {
        int needed = at + reader.ValueSpan.Length;
        if (buffer.Length < needed) Array.Resize(ref buffer, needed * 2);
        try
        {
            return reader.CopyString(buffer.AsSpan(at));
        }
        catch (InvalidOperationException)
        {
            throw WrongMerge(sections, rank, "must be valid Unicode");
        }
    }

    private static string Text(TokenizerSections sections, string path, ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(sections, path, "must have tokens of valid Unicode");
        }
    }

    private static int Id(TokenizerSections sections, int rank, Vocabulary vocabulary, ReadOnlySpan<char> token) =>
        vocabulary.TryGetId(token, out int id) ? id : throw WrongMerge(sections, rank, $"names '{token}', which model.vocab does not have");

    private static FormatException WrongMerge(TokenizerSections sections, int rank, string what) => Wrong(sections, $"model.merges[{rank}]", what);

    private static FormatException Wrong(TokenizerSections sections, string path, string what) => new($"{sections.File}: {path} {what}.");
}
