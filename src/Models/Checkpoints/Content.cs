namespace MLComponents.Models;

/// <summary>Bytes that can be read from anywhere, by several threads at once.</summary>
internal abstract class Content : IDisposable
{
    /// <summary>What is read, for messages.</summary>
    public abstract string Name { get; }

    /// <summary>The number of bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Fills a span.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">All of it is filled.</param>
    /// <exception cref="FormatException">The content ends before.</exception>
    public abstract void Read(long offset, Span<byte> destination);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>As <see cref="Read(long, Span{byte})"/>, into an array of its own; the caller has checked the count.</summary>
    public byte[] Read(long offset, int count)
    {
        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>The error of content that ends inside something.</summary>
    protected FormatException TooShort(long offset, int count) =>
        new($"{Name}: {count} bytes were expected at byte {offset}, but there are {Length}. The file is cut off.");
}
