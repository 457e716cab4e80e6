namespace MLComponents.Models;

/// <summary>Content that is in memory already.</summary>
internal sealed class MemoryContent(ReadOnlyMemory<byte> bytes, string name) : Content
{
    private ReadOnlyMemory<byte>? _bytes = bytes;

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override long Length { get; } = bytes.Length;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ReadOnlyMemory<byte> all = _bytes ?? throw new ObjectDisposedException(name);
        if (offset < 0 || offset > all.Length - destination.Length) throw TooShort(offset, destination.Length);
        all.Span.Slice((int)offset, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public override void Dispose() => _bytes = null;
}
