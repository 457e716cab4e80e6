using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace MLComponents.Models;

/// <summary>
/// The header of a safetensors file: 8 bytes of length (little endian), then JSON of that many bytes, then the tensors' bytes
/// without holes. Nothing of it is believed: every number is checked before anything is allocated from it.
/// </summary>
internal sealed class SafetensorsHeader
{
    public const int LengthBytes = sizeof(ulong);

    /// <summary>The reference implementation's own limit.</summary>
    public const long MaximumHeaderBytes = 100_000_000;

    private SafetensorsHeader(IReadOnlyList<StoredTensor> entries, IReadOnlyDictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<StoredTensor> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads the length that stands in front of the JSON.</summary>
    /// <param name="prefix">The first 8 bytes, or fewer where the file ends before.</param>
    /// <param name="fileBytes">The size of the whole file, or null for a stream of unknown length.</param>
    /// <param name="source">What is read, for messages.</param>
    public static int ReadLength(ReadOnlySpan<byte> prefix, long? fileBytes, string source)
    {
        if (prefix.Length < LengthBytes)
            throw new FormatException($"{source}: the file has {prefix.Length} bytes; a safetensors file starts with {LengthBytes} bytes that hold the header's length.");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaximumHeaderBytes)
            throw new FormatException($"{source}: the header claims {length} bytes; at most {MaximumHeaderBytes} are accepted. {ForeignContent.Describe(prefix)}");
        if (fileBytes is { } size && (long)length > size - LengthBytes)
            throw new FormatException($"{source}: the header claims {length} bytes but only {size - LengthBytes} follow. The file is cut off.");
        return (int)length;
    }

    /// <summary>Parses and checks the JSON.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">The bytes that follow the header, or null for a stream of unknown length.</param>
    /// <param name="source">What is read, for messages.</param>
    /// <exception cref="FormatException">The header breaks a rule of the format.</exception>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long? dataBytes, string source)
    {
        if (json.IsEmpty || json.Span[0] != (byte)'{')
            throw new FormatException($"{source}: the header does not start with '{{'; expected a JSON object.");
        if (!Utf8.IsValid(json.Span)) throw new FormatException($"{source}: the header is not valid UTF-8.");
        try
        {
            using var document = JsonDocument.Parse(json);
            return Parse(document.RootElement, LengthBytes + json.Length, dataBytes, source);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"{source}: the header is not valid JSON: {exception.Message}", exception);
        }
        catch (InvalidOperationException exception)
        {
            // An escape in a string that names half a surrogate pair.
            throw new FormatException($"{source}: the header holds a string that is not valid text: {exception.Message}", exception);
        }
    }

    private static SafetensorsHeader Parse(JsonElement root, long dataStart, long? dataBytes, string source)
    {
        var entries = new List<StoredTensor>();
        var metadata = new Dictionary<string, string>();
        var names = new HashSet<string>();
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!names.Add(property.Name)) throw new FormatException($"{source}: the header names '{property.Name}' twice.");
            if (property.Name == "__metadata__") ReadMetadata(property.Value, metadata, source);
            else entries.Add(ReadEntry(property, dataStart, source));
        }

        entries.Sort((left, right) => left.Begin != right.Begin ? left.Begin.CompareTo(right.Begin) : left.ByteCount.CompareTo(right.ByteCount));
        long next = dataStart;
        foreach (StoredTensor entry in entries)
        {
            if (entry.Begin != next)
            {
                string fault = entry.Begin < next ? "overlaps the tensor before it" : "leaves a hole before it";
                throw new FormatException($"{source}: tensor '{entry.Name}' starts at byte {entry.Begin - dataStart} and {fault}; expected {next - dataStart}.");
            }

            next = entry.Begin + entry.ByteCount;
        }

        long taken = next - dataStart;
        if (dataBytes is { } found && found != taken)
        {
            string fault = found < taken ? "The file is cut off." : "Bytes follow the last tensor.";
            throw new FormatException($"{source}: {found} bytes follow the header; its tensors take {taken}. {fault}");
        }

        return new SafetensorsHeader(entries, metadata);
    }

    private static void ReadMetadata(JsonElement value, Dictionary<string, string> metadata, string source)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw new FormatException($"{source}: '__metadata__' is {Describe(value)}; expected an object of strings.");
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw new FormatException($"{source}: '__metadata__' entry '{property.Name}' is {Describe(property.Value)}; expected a string.");
            metadata[property.Name] = property.Value.GetString()!;
        }
    }

    private static StoredTensor ReadEntry(JsonProperty property, long dataStart, string source)
    {
        string tensor = $"{source}: tensor '{property.Name}'";
        JsonElement value = property.Value;
        if (value.ValueKind != JsonValueKind.Object) throw new FormatException($"{tensor} is {Describe(value)}; expected an object.");
        if (!value.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String)
            throw new FormatException($"{tensor} has no string 'dtype'; expected one of {SafetensorsType.Supported}.");
        if (!SafetensorsType.TryParse(dtype.GetString()!, out var type))
            throw new FormatException($"{tensor} has dtype '{dtype.GetString()}'; expected one of {SafetensorsType.Supported}.");
        long[] shape = ReadNumbers(value, "shape", tensor);
        long[] offsets = ReadNumbers(value, "data_offsets", tensor);
        if (offsets.Length != 2 || offsets[1] < offsets[0] || offsets[1] > long.MaxValue - dataStart)
            throw new FormatException($"{tensor} has data_offsets [{string.Join(", ", offsets)}]; expected [begin, end] with begin <= end.");
        long bytes = SafetensorsType.SizeOf(type);
        try
        {
            foreach (long dimension in shape) bytes = checked(bytes * dimension);
        }
        catch (OverflowException exception)
        {
            throw new FormatException($"{tensor} has shape [{string.Join(", ", shape)}], which is more than 2^63 bytes.", exception);
        }

        if (bytes != offsets[1] - offsets[0])
        {
            throw new FormatException(
                $"{tensor} has shape [{string.Join(", ", shape)}] of {dtype.GetString()}, which is {bytes} bytes, but data_offsets give it {offsets[1] - offsets[0]}.");
        }

        return new StoredTensor(property.Name, type, shape) { Begin = dataStart + offsets[0] };
    }

    private static long[] ReadNumbers(JsonElement value, string name, string tensor)
    {
        if (!value.TryGetProperty(name, out JsonElement array) || array.ValueKind != JsonValueKind.Array)
            throw new FormatException($"{tensor} has no array '{name}'.");
        var numbers = new long[array.GetArrayLength()];
        int index = 0;
        foreach (JsonElement element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out long number) || number < 0)
                throw new FormatException($"{tensor} has {name} with {Describe(element)}; expected integers from 0 to 2^63 - 1.");
            numbers[index++] = number;
        }

        return numbers;
    }

    private static string Describe(JsonElement value) => $"{value.ValueKind.ToString().ToLowerInvariant()} {Shorten(value.GetRawText())}";

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
