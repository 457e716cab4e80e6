using System.Buffers.Binary;
using System.Text;

namespace MLComponents.Models.Tests;

/// <summary>Writes archives as PyTorch does: files in plain bytes, their sizes in the directory and not in front of them.</summary>
internal sealed class ZipWriter(bool isZip64 = false)
{
    private readonly MemoryStream _file = new();
    private readonly MemoryStream _directory = new();
    private int _count;

    /// <summary>Adds a file; what the directory says of it can lie.</summary>
    public ZipWriter Add(string name, byte[] content, ushort method = 0, ushort flags = 0x808, long? begin = null, long? size = null)
    {
        byte[] encoded = Encoding.UTF8.GetBytes(name);
        long at = begin ?? _file.Position, bytes = size ?? content.Length;
        byte[] padding = new byte[7]; // PyTorch aligns with an extra field; its size differs from the directory's
        Write(_file, 4, 0x04034B50).Numbers((2, 0), (2, flags), (2, method), (4, 0), (4, 0), (4, 0), (4, 0), (2, encoded.Length), (2, 4 + padding.Length));
        _file.Write(encoded);
        Write(_file, 2, 0x4246).Numbers((2, padding.Length));
        _file.Write(padding);
        _file.Write(content);
        Write(_file, 4, 0x08074B50).Numbers((4, 0), (4, bytes), (4, bytes));

        Write(_directory, 4, 0x02014B50).Numbers(
            (2, 0), (2, 0), (2, flags), (2, method), (4, 0), (4, 0), (4, isZip64 ? uint.MaxValue : bytes), (4, isZip64 ? uint.MaxValue : bytes), (2, encoded.Length), (2, isZip64 ? 28 : 0), (2, 0),
            (2, 0), (2, 0), (4, 0), (4, isZip64 ? uint.MaxValue : at));
        _directory.Write(encoded);
        if (isZip64) Write(_directory, 2, 1).Numbers((2, 24), (8, bytes), (8, bytes), (8, at));
        _count++;
        return this;
    }

    /// <summary>The archive; what its end says of the directory can lie.</summary>
    public byte[] ToArray(long? count = null, long? bytes = null, long? begin = null)
    {
        using var all = new MemoryStream();
        all.Write(_file.ToArray());
        (long number, long size, long at) = (count ?? _count, bytes ?? _directory.Length, begin ?? _file.Length);
        all.Write(_directory.ToArray());
        if (isZip64)
        {
            long end = all.Position;
            Write(all, 4, 0x06064B50).Numbers((8, 44), (2, 45), (2, 45), (4, 0), (4, 0), (8, number), (8, number), (8, size), (8, at));
            Write(all, 4, 0x07064B50).Numbers((4, 0), (8, end), (4, 1));
            (number, size, at) = (ushort.MaxValue, uint.MaxValue, uint.MaxValue);
        }

        Write(all, 4, 0x06054B50).Numbers((2, 0), (2, 0), (2, number), (2, number), (4, size), (4, at), (2, 0));
        return all.ToArray();
    }

    private static Fields Write(MemoryStream stream, int bytes, long value)
    {
        var fields = new Fields(stream);
        fields.Numbers((bytes, value));
        return fields;
    }

    private readonly struct Fields(MemoryStream stream)
    {
        public void Numbers(params (int Bytes, long Value)[] numbers)
        {
            Span<byte> buffer = stackalloc byte[8];
            foreach (var (bytes, value) in numbers)
            {
                BinaryPrimitives.WriteInt64LittleEndian(buffer, value);
                stream.Write(buffer[..bytes]);
            }
        }
    }
}
