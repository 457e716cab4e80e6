using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Unicode's simple case folding, in which U+017F is an s and U+212A a k; .NET's casing keeps those apart.</summary>
internal static class CaseFolding
{
    private static readonly Dictionary<int, int> Special = new()
    {
        [0xB5] = 0x3BC, [0x17F] = 's', [0x345] = 0x3B9, [0x3C2] = 0x3C3, [0x3D0] = 0x3B2, [0x3D1] = 0x3B8, [0x3D5] = 0x3C6,
        [0x3D6] = 0x3C0, [0x3F0] = 0x3BA, [0x3F1] = 0x3C1, [0x3F4] = 0x3B8, [0x3F5] = 0x3B5, [0x1E9B] = 0x1E61, [0x1E9E] = 0xDF,
        [0x1FBE] = 0x3B9, [0x2126] = 0x3C9, [0x212A] = 'k', [0x212B] = 0xE5, [0x130] = 0x130,
    };

    private static readonly ILookup<int, int> Unfold = Special.ToLookup(pair => pair.Value, pair => pair.Key);

    /// <summary>The folded form of a code point.</summary>
    public static int Fold(int codePoint) => Special.TryGetValue(codePoint, out int folded) ? folded : Rune.ToLowerInvariant(new Rune(codePoint)).Value;

    /// <summary>All code points with the same folded form.</summary>
    public static IEnumerable<int> Equivalents(int codePoint)
    {
        int folded = Fold(codePoint);
        yield return codePoint;
        yield return folded;
        yield return Rune.ToUpperInvariant(new Rune(folded)).Value;
        foreach (int other in Unfold[folded]) yield return other;
    }
}
