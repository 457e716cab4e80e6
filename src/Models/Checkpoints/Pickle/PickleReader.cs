using System.Buffers.Binary;
using System.Text;

namespace MLComponents.Models;

/// <summary>The bytes of pickles, one after the other. Every length is checked before anything is allocated from it.</summary>
internal sealed class PickleReader
{
    /// <summary>The most bytes of all pickles together: thirty thousand tensors take a few million.</summary>
    private const int MaximumBytes = 1 << 25;

    /// <summary>The longest text: names of tensors and of classes are far shorter.</summary>
    private const int MaximumTextBytes = 1 << 16;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly Content _content;
    private readonly long _end;
    private long _bufferBegin;
    private int _bufferLength;
    private int _next;

    /// <summary>Reads from a part of a content.</summary>
    /// <param name="content">Where the pickles lie.</param>
    /// <param name="begin">The first byte.</param>
    /// <param name="end">The byte that they cannot reach; it is nearer where there is more than pickles take.</param>
    public PickleReader(Content content, long begin, long end)
    {
        _content = content;
        _bufferBegin = begin;
        _end = Math.Min(end, begin + MaximumBytes);
    }

    /// <summary>What is read, for messages.</summary>
    public string Name => _content.Name;

    /// <summary>The next byte.</summary>
    public long Position => _bufferBegin + _next;

    public byte ReadByte()
    {
        if (_next == _bufferLength) Refill();
        return _buffer[_next++];
    }

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Read(stackalloc byte[sizeof(ushort)]));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Read(stackalloc byte[sizeof(int)]));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Read(stackalloc byte[sizeof(uint)]));

    public double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(Read(stackalloc byte[sizeof(double)]));

    /// <summary>Fills a span and gives it back.</summary>
    public Span<byte> Read(Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i++) destination[i] = ReadByte();
        return destination;
    }

    /// <summary>A text of so many bytes of UTF-8.</summary>
    public string ReadText(long byteCount)
    {
        if (byteCount > MaximumTextBytes) throw Broken($"a text of {byteCount} bytes; at most {MaximumTextBytes} are accepted");
        if (byteCount > _end - Position) throw Broken($"a text of {byteCount} bytes, but only {_end - Position} follow");
        return Decode(Read(new byte[byteCount]));
    }

    /// <summary>A text that a line feed ends.</summary>
    public string ReadLine()
    {
        var bytes = new List<byte>();
        for (byte next; (next = ReadByte()) != '\n'; bytes.Add(next))
            if (bytes.Count == MaximumTextBytes) throw Broken($"a line of more than {MaximumTextBytes} bytes");
        return Decode([.. bytes]);
    }

    /// <summary>The error of a pickle that breaks a rule.</summary>
    public FormatException Broken(string fault) => new($"{Name}: the pickle has {fault} (before byte {Position}). The file is damaged.");

    private string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return s_utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Broken("a text that is not UTF-8");
        }
    }

    private void Refill()
    {
        _bufferBegin += _bufferLength;
        _next = 0;
        _bufferLength = (int)Math.Min(_buffer.Length, _end - _bufferBegin);
        if (_bufferLength <= 0)
        {
            _bufferLength = 0;
            throw Broken("no end where the file, or what is read of it, has one");
        }

        _content.Read(_bufferBegin, _buffer.AsSpan(0, _bufferLength));
    }
}
