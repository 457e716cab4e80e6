using System.Buffers.Binary;
using System.Text;

namespace MLComponents.Models;

/// <summary>
/// Where the files of a zip archive lie. .NET's own reader gives streams; weights are read from many places at once, which needs offsets.
/// </summary>
/// <remarks>The format is described in PKWARE's APPNOTE.TXT. Archives of more than 4 GiB (Zip64) are read; compressed, encrypted and split ones are not.</remarks>
internal sealed class ZipDirectory
{
    private const int EndBytes = 22, LocatorBytes = 20, End64Bytes = 56, EntryBytes = 46, LocalBytes = 30;
    private const uint EndSignature = 0x06054B50, LocatorSignature = 0x07064B50, End64Signature = 0x06064B50, EntrySignature = 0x02014B50, LocalSignature = 0x04034B50;
    private const int MaximumDirectoryBytes = 1 << 25;

    private readonly Content _content;
    private readonly Dictionary<string, ZipEntry> _entries = [];

    /// <summary>Reads and checks the directory at the end of the archive.</summary>
    /// <exception cref="FormatException">It breaks a rule of the format.</exception>
    public ZipDirectory(Content content)
    {
        _content = content;
        (long begin, long bytes, long count) = FindDirectory();
        if (begin < 0 || bytes < 0 || begin > content.Length - bytes) throw Broken($"the directory of {bytes} bytes at byte {begin} is not within the {content.Length} bytes of the file");
        if (bytes > MaximumDirectoryBytes) throw Broken($"the directory takes {bytes} bytes; at most {MaximumDirectoryBytes} are accepted");
        if (count < 0 || count > bytes / EntryBytes) throw Broken($"{count} files are claimed, for which the directory of {bytes} bytes has no room");
        ReadOnlySpan<byte> directory = content.Read(begin, (int)bytes);
        for (long i = 0; i < count; i++) directory = directory[AddEntry(directory)..];
    }

    /// <summary>The names of all files.</summary>
    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>Whether there is a file of that name.</summary>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>Finds a file's content.</summary>
    /// <returns>The first byte, and the number of bytes; they have been checked to lie within the archive.</returns>
    /// <exception cref="FormatException">There is no such file, or it does not lie within the archive.</exception>
    /// <exception cref="NotSupportedException">The file is compressed or encrypted.</exception>
    public (long Begin, long ByteCount) Find(string name)
    {
        if (!_entries.TryGetValue(name, out ZipEntry entry)) throw Broken($"there is no '{name}' in it");
        if (!entry.IsPlain)
            throw new NotSupportedException($"{_content.Name}: '{name}' is compressed or encrypted; expected the plain bytes that torch.save writes. Save the file again with torch.save.");
        if (entry.Begin > _content.Length - LocalBytes) throw Broken($"'{name}' is said to be at byte {entry.Begin} of {_content.Length}");
        ReadOnlySpan<byte> header = _content.Read(entry.Begin, LocalBytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != LocalSignature) throw Broken($"'{name}' is not at byte {entry.Begin}, where the directory says it is");
        long begin = entry.Begin + LocalBytes + BinaryPrimitives.ReadUInt16LittleEndian(header[26..]) + BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        if (begin > _content.Length - entry.ByteCount) throw Broken($"'{name}' of {entry.ByteCount} bytes at byte {begin} is not within the {_content.Length} bytes of the file; it is cut off");
        return (begin, entry.ByteCount);
    }

    private (long Begin, long Bytes, long Count) FindDirectory()
    {
        long length = _content.Length;
        int tailBytes = (int)Math.Min(length, EndBytes + LocatorBytes + ushort.MaxValue);
        ReadOnlySpan<byte> tail = _content.Read(length - tailBytes, tailBytes);
        int end = tailBytes - EndBytes;
        while (end >= 0 && !(BinaryPrimitives.ReadUInt32LittleEndian(tail[end..]) == EndSignature
            && BinaryPrimitives.ReadUInt16LittleEndian(tail[(end + 20)..]) == tailBytes - end - EndBytes)) end--;
        if (end < 0) throw Broken("it does not end like a zip archive; it is cut off");
        ReadOnlySpan<byte> record = tail[end..];
        long count = BinaryPrimitives.ReadUInt16LittleEndian(record[10..]);
        long bytes = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]), begin = BinaryPrimitives.ReadUInt32LittleEndian(record[16..]);
        if (count != ushort.MaxValue && bytes != uint.MaxValue && begin != uint.MaxValue) return (begin, bytes, count);
        if (end < LocatorBytes || BinaryPrimitives.ReadUInt32LittleEndian(tail[(end - LocatorBytes)..]) != LocatorSignature) return (begin, bytes, count);

        long at = BinaryPrimitives.ReadInt64LittleEndian(tail[(end - LocatorBytes + 8)..]);
        if (at < 0 || at > length - End64Bytes) throw Broken($"its Zip64 record is said to be at byte {at} of {length}");
        ReadOnlySpan<byte> record64 = _content.Read(at, End64Bytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record64) != End64Signature) throw Broken($"its Zip64 record is not at byte {at}, where it is said to be");
        return (BinaryPrimitives.ReadInt64LittleEndian(record64[48..]), BinaryPrimitives.ReadInt64LittleEndian(record64[40..]), BinaryPrimitives.ReadInt64LittleEndian(record64[32..]));
    }

    /// <summary>Reads the entry at the front of the directory and gives its size.</summary>
    private int AddEntry(ReadOnlySpan<byte> directory)
    {
        if (directory.Length < EntryBytes || BinaryPrimitives.ReadUInt32LittleEndian(directory) != EntrySignature) throw Broken("its directory is damaged");
        int nameBytes = BinaryPrimitives.ReadUInt16LittleEndian(directory[28..]), extraBytes = BinaryPrimitives.ReadUInt16LittleEndian(directory[30..]);
        int entryBytes = EntryBytes + nameBytes + extraBytes + BinaryPrimitives.ReadUInt16LittleEndian(directory[32..]);
        if (entryBytes > directory.Length) throw Broken("its directory is damaged");
        string name = Encoding.UTF8.GetString(directory.Slice(EntryBytes, nameBytes));
        if (name.StartsWith('/') || name.AsSpan().ContainsAny('\\', ':', '\0') || name.Split('/').Contains("..")) throw Broken($"it names a file '{name}' that leads out of it");
        long compressed = BinaryPrimitives.ReadUInt32LittleEndian(directory[20..]), plain = BinaryPrimitives.ReadUInt32LittleEndian(directory[24..]);
        long begin = BinaryPrimitives.ReadUInt32LittleEndian(directory[42..]);
        ReadZip64(directory.Slice(EntryBytes + nameBytes, extraBytes), ref plain, ref compressed, ref begin);
        bool isEncrypted = (directory[8] & 1) != 0, isStored = BinaryPrimitives.ReadUInt16LittleEndian(directory[10..]) == 0;
        if (begin < 0 || compressed < 0 || (isStored && compressed != plain)) throw Broken($"'{name}' has {compressed} bytes at byte {begin}, for {plain} of content");
        if (!_entries.TryAdd(name, new ZipEntry(begin, compressed, isStored && !isEncrypted))) throw Broken($"it holds '{name}' twice");
        return entryBytes;
    }

    /// <summary>Sizes and places beyond 4 GiB stand behind the name, those that are needed, in this order.</summary>
    private static void ReadZip64(ReadOnlySpan<byte> extra, ref long plain, ref long compressed, ref long begin)
    {
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra), bytes = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]), extra.Length - 4);
            ReadOnlySpan<byte> data = extra.Slice(4, bytes);
            if (id == 1)
            {
                Take(ref data, ref plain);
                Take(ref data, ref compressed);
                Take(ref data, ref begin);
            }

            extra = extra[(4 + bytes)..];
        }

        static void Take(ref ReadOnlySpan<byte> data, ref long value)
        {
            if (value != uint.MaxValue || data.Length < sizeof(long)) return;
            value = BinaryPrimitives.ReadInt64LittleEndian(data);
            data = data[sizeof(long)..];
        }
    }

    private FormatException Broken(string fault) => new($"{_content.Name}: not a whole PyTorch file: {fault}.");
}
