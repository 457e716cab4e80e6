namespace MLComponents.Transforms;

/// <summary>Texts and lists of texts in a model file, where there may be none.</summary>
internal static class OptionalText
{
    public static void Write(BinaryWriter writer, string? text)
    {
        writer.Write(text is not null);
        if (text is not null) writer.Write(text);
    }

    public static string? Read(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;

    public static void WriteAll(BinaryWriter writer, IReadOnlyList<string>? texts)
    {
        writer.Write(texts?.Count ?? -1);
        foreach (string text in texts ?? []) writer.Write(text);
    }

    public static IReadOnlyList<string>? ReadAll(BinaryReader reader)
    {
        int count = reader.ReadInt32();
        if (count < 0) return null;
        // Grown as texts arrive: a damaged count ends at the end of the file, not in an allocation.
        var texts = new List<string>();
        for (int i = 0; i < count; i++) texts.Add(reader.ReadString());
        return texts;
    }
}
