using System.Collections;
using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>
/// Unicode's decompositions, compositions and combining classes, read from CanonicalData.txt and CompatibilityData.txt. .NET tells none
/// of them by code point, and what it normalizes to depends on the ICU of the machine; these tables make the ids the same everywhere.
/// </summary>
internal sealed class UnicodeData
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, HangulCount = LeadCount * VowelCount * TrailCount;

    private static readonly Lazy<UnicodeData> Loaded = new(() => new UnicodeData());

    private readonly Dictionary<int, int[]> _decompositions = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<long, int> _compositions = [];
    private readonly Dictionary<int, byte> _classes = [];
    private readonly BitArray _inert = new(0x10000, true);
    private readonly HashSet<int> _activeSupplementary = [];

    private UnicodeData()
    {
        foreach (string line in Lines("CanonicalData.txt"))
        {
            if (line.StartsWith('@')) ReadClass(line);
            else ReadDecomposition(line);
        }

        foreach (string line in Lines("CompatibilityData.txt"))
        {
            int equals = line.IndexOf('=');
            _compatible[Hex(line.AsSpan(0, equals))] = Array.ConvertAll(line[(equals + 1)..].Split(' '), part => Hex(part));
        }

        ExpandDecompositions();
        for (int jamo = VowelBase; jamo < VowelBase + VowelCount; jamo++) _inert[jamo] = false;
        for (int jamo = TrailBase + 1; jamo < TrailBase + TrailCount; jamo++) _inert[jamo] = false;
    }

    /// <summary>The tables.</summary>
    public static UnicodeData Instance => Loaded.Value;

    /// <summary>
    /// Whether a code point may change under a normalization form, or change what stands before it. What is no such code point is a
    /// starter that stays as it is and joins nothing before it.
    /// </summary>
    /// <param name="codePoint">The code point.</param>
    /// <param name="composes">Whether the form composes (NFC, NFKC).</param>
    /// <param name="compatible">Whether the form takes compatibility decompositions (NFKC, NFKD).</param>
    public bool IsActive(int codePoint, bool composes, bool compatible)
    {
        if (codePoint < 0x80) return false;
        if (compatible && _compatible.ContainsKey(codePoint)) return true;
        if (composes) return codePoint < 0x10000 ? !_inert[codePoint] : _activeSupplementary.Contains(codePoint);
        return _classes.ContainsKey(codePoint) || _decompositions.ContainsKey(codePoint) || codePoint is >= HangulBase and < HangulBase + HangulCount;
    }

    /// <summary>The canonical combining class; 0 for a starter.</summary>
    public int CombiningClass(int codePoint) => codePoint < 0x300 ? 0 : _classes.GetValueOrDefault(codePoint);

    /// <summary>The full decomposition.</summary>
    /// <param name="codePoint">The code point.</param>
    /// <param name="compatible">Whether compatibility decompositions count too.</param>
    public int[] Decompose(int codePoint, bool compatible)
    {
        if (codePoint < 0x80) return [codePoint];
        if (compatible && _compatible.TryGetValue(codePoint, out int[]? wider)) return wider;

        int hangul = codePoint - HangulBase;
        if (hangul is >= 0 and < HangulCount)
        {
            int lead = LeadBase + (hangul / (VowelCount * TrailCount));
            int vowel = VowelBase + (hangul / TrailCount % VowelCount);
            int trail = hangul % TrailCount;
            return trail == 0 ? [lead, vowel] : [lead, vowel, TrailBase + trail];
        }

        return _decompositions.TryGetValue(codePoint, out int[]? parts) ? parts : [codePoint];
    }

    /// <summary>The primary composite of two code points.</summary>
    public bool TryCompose(int first, int second, out int composed)
    {
        int lead = first - LeadBase, vowel = second - VowelBase;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
        {
            composed = HangulBase + (((lead * VowelCount) + vowel) * TrailCount);
            return true;
        }

        int hangul = first - HangulBase, trail = second - TrailBase;
        if (hangul is >= 0 and < HangulCount && hangul % TrailCount == 0 && trail is > 0 and < TrailCount)
        {
            composed = first + trail;
            return true;
        }

        return _compositions.TryGetValue(Pair(first, second), out composed);
    }

    private static long Pair(int first, int second) => ((long)first << 32) | (uint)second;

    private static int Hex(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private void ReadClass(string line)
    {
        int space = line.IndexOf(' '), dash = line.IndexOf('-');
        byte value = byte.Parse(line.AsSpan(1, space - 1), CultureInfo.InvariantCulture);
        int last = Hex(line.AsSpan(dash + 1));
        for (int codePoint = Hex(line.AsSpan(space + 1, dash - space - 1)); codePoint <= last; codePoint++)
        {
            _classes[codePoint] = value;
            SetActive(codePoint);
        }
    }

    private void ReadDecomposition(string line)
    {
        int equals = line.IndexOf('=');
        bool composes = line[equals - 1] != '!';
        int codePoint = Hex(line.AsSpan(0, composes ? equals : equals - 1));
        int[] parts = Array.ConvertAll(line[(equals + 1)..].Split(' '), part => Hex(part));
        _decompositions[codePoint] = parts;
        if (composes)
        {
            _compositions[Pair(parts[0], parts[1])] = codePoint;
            SetActive(parts[1]); // may join what stands before it
        }
        else
        {
            SetActive(codePoint); // never stays as it is
        }
    }

    private static IEnumerable<string> Lines(string resource)
    {
        using Stream stream = typeof(UnicodeData).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The assembly was built without its resource {resource}.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (!line.StartsWith('#')) yield return line;
    }

    // The files hold single steps; here they become full decompositions. What has a canonical one only may still end in something
    // that has a compatible one, so both kinds are kept for it.
    private void ExpandDecompositions()
    {
        foreach (int codePoint in _compatible.Keys.Concat(_decompositions.Keys).ToArray())
        {
            int[] parts = [.. ExpandCompatibly(codePoint)];
            if (_compatible.ContainsKey(codePoint) || !parts.SequenceEqual(ExpandCanonically(codePoint))) _compatible[codePoint] = parts;
        }

        foreach (int codePoint in _decompositions.Keys.ToArray()) _decompositions[codePoint] = [.. ExpandCanonically(codePoint)];
    }

    private IEnumerable<int> ExpandCanonically(int codePoint) =>
        _decompositions.TryGetValue(codePoint, out int[]? parts) ? parts.SelectMany(ExpandCanonically) : [codePoint];

    private IEnumerable<int> ExpandCompatibly(int codePoint) => _compatible.TryGetValue(codePoint, out int[]? parts)
        || _decompositions.TryGetValue(codePoint, out parts) ? parts.SelectMany(ExpandCompatibly) : [codePoint];

    private void SetActive(int codePoint)
    {
        if (codePoint < 0x10000) _inert[codePoint] = false;
        else _activeSupplementary.Add(codePoint);
    }
}
