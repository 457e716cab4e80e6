namespace MLComponents.Models;

/// <summary>Texts of a batch that lie behind each other as rows of one width.</summary>
/// <param name="Count">The number of texts, at least 1.</param>
/// <param name="Width">Tokens of each row, padding included.</param>
internal readonly record struct TextGroup(int Count, int Width)
{
    /// <summary>Tokens of the group, padding included.</summary>
    public int Tokens => Count * Width;
}
