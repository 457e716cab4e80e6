namespace MLComponents.Models;

/// <summary>What a file may be that is not what its name says.</summary>
internal static class ForeignContent
{
    /// <summary>A sentence for a message.</summary>
    /// <param name="start">The first bytes of the file.</param>
    public static string Describe(ReadOnlySpan<byte> start) =>
        start.IsEmpty ? "It is empty."
        : start.StartsWith("version "u8) ? "It is a pointer of Git LFS: fetch the file itself (git lfs pull)."
        : start.StartsWith("{"u8) || start.StartsWith("<"u8) ? "It is text; was an answer of a server saved in its place?"
        : $"It starts with 0x{Convert.ToHexString(start[..Math.Min(start.Length, 8)])}.";
}
