namespace MLComponents.Models;

/// <summary>A file in a zip archive, as the archive's directory describes it.</summary>
/// <param name="Begin">The byte at which its own header starts.</param>
/// <param name="ByteCount">The bytes that it takes in the archive.</param>
/// <param name="IsPlain">Whether they are its content, neither compressed nor encrypted.</param>
internal readonly record struct ZipEntry(long Begin, long ByteCount, bool IsPlain);
