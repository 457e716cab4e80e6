using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Writes safetensors files, one tensor after the other, without a copy of the whole in memory.</summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <summary>Writes a file. It appears under its name only when it is complete.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="tensors">The tensors by name; any device.</param>
    /// <param name="dtype">The element type to store floating-point tensors in; each tensor's own if null.</param>
    /// <exception cref="ArgumentException">Two tensors have the same name.</exception>
    /// <exception cref="NotSupportedException">A tensor has an element type that the format does not have.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, ScalarType? dtype = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, dtype));

    /// <summary>Writes to a stream, which need not seek and stays open.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="tensors">The tensors by name; any device.</param>
    /// <param name="dtype">The element type to store floating-point tensors in; each tensor's own if null.</param>
    /// <exception cref="ArgumentException">Two tensors have the same name.</exception>
    /// <exception cref="NotSupportedException">A tensor has an element type that the format does not have.</exception>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors, ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);

        // The reference implementation's order, widest element first, keeps every tensor aligned.
        var items = tensors
            .Select(pair => (Name: pair.Key, Tensor: pair.Value, Type: StoredType(pair.Value, dtype)))
            .OrderByDescending(item => SafetensorsType.SizeOf(item.Type))
            .ThenBy(item => item.Name, StringComparer.Ordinal)
            .ToArray();
        stream.Write(Header(items));
        foreach (var (_, tensor, type) in items) TensorBytes.Write(tensor, type, stream);
    }

    private static ScalarType StoredType(Tensor tensor, ScalarType? dtype) =>
        dtype is { } wanted && tensor.is_floating_point() ? wanted : tensor.dtype;

    private static byte[] Header((string Name, Tensor Tensor, ScalarType Type)[] items)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long offset = 0;
            var names = new HashSet<string> { "__metadata__" };
            foreach (var (name, tensor, type) in items)
            {
                if (!names.Add(name)) throw new ArgumentException($"Two tensors are called '{name}'.", nameof(items));
                writer.WriteStartObject(name);
                writer.WriteString("dtype", SafetensorsType.NameOf(type));
                writer.WriteStartArray("shape");
                foreach (long dimension in tensor.shape) writer.WriteNumberValue(dimension);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                offset += tensor.NumberOfElements * SafetensorsType.SizeOf(type);
                writer.WriteNumberValue(offset);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        // Blanks after the JSON put the first tensor on a multiple of 8 bytes.
        int length = (json.WrittenCount + Alignment - 1) / Alignment * Alignment;
        var header = new byte[SafetensorsHeader.LengthBytes + length];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)length);
        json.WrittenSpan.CopyTo(header.AsSpan(SafetensorsHeader.LengthBytes));
        return header;
    }
}
