namespace MLComponents.Transforms;

/// <summary>Reads the settings of a transformer from a model file.</summary>
internal static class SettingsEntries
{
    /// <summary>Reads an entry.</summary>
    /// <exception cref="FormatException">The entry is missing or damaged.</exception>
    public static T Read<T>(Action<string, Action<Stream>> loadEntry, string name, Func<BinaryReader, T> read)
    {
        T value = default!;
        loadEntry(name, stream =>
        {
            using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
            try
            {
                value = read(reader);
            }
            catch (Exception error) when (error is EndOfStreamException or ArgumentException)
            {
                throw new FormatException($"The model file's settings are damaged: {error.Message}", error);
            }
        });
        return value;
    }
}
