using System.Globalization;
using System.IO.Compression;

namespace MLComponents.Tokenization;

/// <summary>Characters by their Unicode names, for <c>\N{BULLET}</c>. Read when a template has such an escape.</summary>
internal static class CharacterNames
{
    private const string Ideograph = "CJK UNIFIED IDEOGRAPH-";

    private static readonly Lazy<Dictionary<string, string>> Names = new(Read);

    public static string? Find(string name)
    {
        if (name.StartsWith(Ideograph, StringComparison.OrdinalIgnoreCase))
        {
            return int.TryParse(name.AsSpan(Ideograph.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code) && code is (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0x20000 and <= 0x3134A)
                ? char.ConvertFromUtf32(code)
                : null;
        }

        return Names.Value.GetValueOrDefault(name);
    }

    private static Dictionary<string, string> Read()
    {
        var names = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        using Stream resource = typeof(CharacterNames).Assembly.GetManifestResourceStream("CharacterNames.zlib")!;
        using var reader = new StreamReader(new ZLibStream(resource, CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            int space = line.IndexOf(' ');
            names[line[(space + 1)..]] = char.ConvertFromUtf32(int.Parse(line.AsSpan(0, space), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        }

        return names;
    }
}
