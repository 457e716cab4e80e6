using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The element types of the safetensors format that libtorch has too.</summary>
internal static class SafetensorsType
{
    private static readonly (string Name, ScalarType Type, int Size)[] Types =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Supported => string.Join(", ", Types.Select(type => type.Name));

    public static bool TryParse(string name, out ScalarType type)
    {
        foreach (var candidate in Types)
        {
            if (candidate.Name != name) continue;
            type = candidate.Type;
            return true;
        }

        type = default;
        return false;
    }

    public static string NameOf(ScalarType type) => Find(type).Name;

    public static int SizeOf(ScalarType type) => Find(type).Size;

    private static (string Name, ScalarType Type, int Size) Find(ScalarType type)
    {
        foreach (var candidate in Types)
            if (candidate.Type == type) return candidate;
        throw new NotSupportedException($"A safetensors file cannot hold elements of type {type}; it can hold {Supported}.");
    }
}
