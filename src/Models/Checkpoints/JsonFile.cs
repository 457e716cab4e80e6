using System.Buffers;
using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Small JSON files in the reference library's style: two blanks, line feeds, one at the end.</summary>
internal static class JsonFile
{
    /// <summary>An object, by what writes its members.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }
}
