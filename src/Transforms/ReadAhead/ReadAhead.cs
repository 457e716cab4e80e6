namespace MLComponents.Transforms;

/// <summary>Bounds of what is read ahead.</summary>
internal static class ReadAhead
{
    /// <summary>A window of very long texts ends here, whatever the settings' look-ahead says: 4 M characters, 8 MB.</summary>
    internal const int MostCharacters = 1 << 22;
}
