using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>Reads <c>model.merges</c> straight from the file.</summary>
internal static class MergeReader
{
    /// <summary>Reads the merges, as texts <c>"a b"</c> or as pairs <c>["a", "b"]</c>.</summary>
    public static MergeTable Read(TokenizerSections sections, Vocabulary vocabulary, string prefix)
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

            // What continues a word is written with the prefix, which the merged token has once, in front.
            if (prefix.Length > 0 && right.StartsWith(prefix, StringComparison.Ordinal))
            {
                right[prefix.Length..].CopyTo(buffer.AsSpan(split));
                length -= prefix.Length;
            }

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

    private static int Id(TokenizerSections sections, int rank, Vocabulary vocabulary, ReadOnlySpan<char> token) =>
        vocabulary.TryGetId(token, out int id) ? id : throw WrongMerge(sections, rank, $"names '{token}', which model.vocab does not have");

    private static FormatException WrongMerge(TokenizerSections sections, int rank, string what) => Wrong(sections, $"model.merges[{rank}]", what);

    private static FormatException Wrong(TokenizerSections sections, string path, string what) => new($"{sections.File}: {path} {what}.");
}
