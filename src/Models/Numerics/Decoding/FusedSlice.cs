namespace MLComponents.Models;

/// <summary>Some outputs of some rows of a product.</summary>
/// <param name="First">The first output.</param>
/// <param name="End">The output to stop before.</param>
/// <param name="FirstRow">The first row.</param>
/// <param name="EndRow">The row to stop before.</param>
internal readonly record struct FusedSlice(int First, int End, int FirstRow, int EndRow)
{
    /// <summary>How many outputs.</summary>
    public int Count => End - First;
}
