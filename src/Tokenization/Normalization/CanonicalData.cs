using System.Collections;
using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>
/// Unicode's canonical decompositions, compositions and combining classes, read from CanonicalData.txt. .NET tells none of them
/// by code point, and what it normalizes to depends on the ICU of the machine; these tables make the ids the same everywhere.
/// </summary>
internal sealed class CanonicalData
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, HangulCount = LeadCount * VowelCount * TrailCount;

    private static readonly Lazy<CanonicalData> Loaded = new(() => new CanonicalData());

    private readonly Dictionary<int, int[]> _decompositions = [];
    private readonly Dictionary<long, int> _compositions = [];
    private readonly Dictionary<int, byte> _classes = [];
    private readonly BitArray _inert = new(0x10000, true);
    private readonly HashSet<int> _activeSupplementary = [];

    private CanonicalData()
    {
        using Stream stream = typeof(CanonicalData).Assembly.GetManifestResourceStream("CanonicalData.txt")
            ?? throw new InvalidOperationException("The assembly was built without its resource CanonicalData.txt.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('@')) ReadClass(line);
            else if (!line.StartsWith('#')) ReadDecomposition(line);
        }

        ExpandDecompositions();
        for (int jamo = VowelBase; jamo < VowelBase + VowelCount; jamo++) _inert[jamo] = false;
        for (int jamo = TrailBase + 1; jamo < TrailBase + TrailCount; jamo++) _inert[jamo] = false;
    }

    /// <summary>The tables.</summary>
    public static CanonicalData Instance => Loaded.Value;

    /// <summary>Whether normalization leaves the text alone for sure: every code point is a composed starter that joins nothing before it.</summary>
    public bool IsInert(ReadOnlySpan<char> text)
    {
        for (int index = 0; index < text.Length; index++)
        {
            char unit = text[index];
            if (unit < '\u0300') continue;
            if (char.IsHighSurrogate(unit))
            {
                if (_activeSupplementary.Contains(CodePoints.At(text, index, out _))) return false;
                index++;
            }
            else if (!_inert[unit])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The canonical combining class; 0 for a starter.</summary>
    public int CombiningClass(int codePoint) => codePoint < 0x300 ? 0 : _classes.GetValueOrDefault(codePoint);

    /// <summary>The full canonical decomposition.</summary>
    public int[] Decompose(int codePoint)
    {
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

    // The file holds single steps; here they become full decompositions.
    private void ExpandDecompositions()
    {
        foreach (int codePoint in _decompositions.Keys.ToArray())
        {
            var parts = new List<int>(_decompositions[codePoint]);
            while (_decompositions.TryGetValue(parts[0], out int[]? deeper))
            {
                parts.RemoveAt(0);
                parts.InsertRange(0, deeper);
            }

            for (int index = 1; index < parts.Count; index++)
            {
                if (_decompositions.TryGetValue(parts[index], out int[]? deeper))
                {
                    parts.RemoveAt(index);
                    parts.InsertRange(index--, deeper);
                }
            }

            _decompositions[codePoint] = [.. parts];
        }
    }

    private void SetActive(int codePoint)
    {
        if (codePoint < 0x10000) _inert[codePoint] = false;
        else _activeSupplementary.Add(codePoint);
    }
}
