using TorchSharp;

namespace MLComponents.Models;

/// <summary>Safetensors content that comes through a stream which need not know its length or seek, such as an entry of a zip file.</summary>
internal sealed class SafetensorsStream : TensorSource
{
    private readonly Stream _stream;
    private readonly SafetensorsHeader _header;

    /// <summary>Reads and checks the header. Bytes after the last tensor are left in the stream.</summary>
    /// <param name="stream">Positioned at the first byte; it stays open.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="FormatException">The header breaks a rule of the format.</exception>
    public SafetensorsStream(Stream stream, string name)
    {
        _stream = stream;
        Source = name;
        var prefix = new byte[SafetensorsHeader.LengthBytes];
        int read = stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false);
        var json = new byte[SafetensorsHeader.ReadLength(prefix.AsSpan(0, read), null, name)];
        ReadExactly(json, "its header");
        _header = SafetensorsHeader.Parse(json, null, name);
    }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<StoredTensor> Entries => _header.Entries;

    /// <inheritdoc/>
    public override void ReadAll(Func<StoredTensor, torch.Tensor?> destinationOf)
    {
        foreach (StoredTensor entry in Entries)
        {
            if (destinationOf(entry) is { } destination)
                TensorBytes.Fill(destination, entry.DType, span => ReadExactly(span, $"tensor '{entry.Name}'"));
            else
                Skip(entry);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        // The stream is its owner's.
    }

    private void Skip(StoredTensor entry)
    {
        var buffer = new byte[Math.Min(entry.ByteCount, 1 << 16)];
        for (long left = entry.ByteCount; left > 0; left -= buffer.Length)
            ReadExactly(buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)), $"tensor '{entry.Name}'");
    }

    private void ReadExactly(Span<byte> destination, string what)
    {
        int read = _stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
        if (read < destination.Length) throw new FormatException($"{Source}: the data ends inside {what}.");
    }
}
