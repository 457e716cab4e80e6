namespace MLComponents.Tokenization;

/// <summary>Which pieces <c>Metaspace</c> puts its character in front of.</summary>
internal enum PrependScheme
{
    /// <summary>All of them.</summary>
    Always,

    /// <summary>The one that the text begins with.</summary>
    First,

    /// <summary>None.</summary>
    Never,
}
