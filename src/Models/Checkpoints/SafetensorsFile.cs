using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A safetensors file, mapped into memory and read straight into tensors.</summary>
/// <remarks>The format is described at https://huggingface.co/docs/safetensors. A file is checked as a whole when it is opened.</remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MappedSource _source;

    private SafetensorsFile(MappedSource source) => _source = source;

    /// <summary>The names of the tensors, in the order of their bytes.</summary>
    public IEnumerable<string> Names => _source.Entries.Select(entry => entry.Name);

    /// <summary>The tensors, in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _source.Entries;

    /// <summary>The <c>__metadata__</c> of the header; empty where there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _source.Metadata;

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file breaks a rule of the format; the message names the tensor, what was found and what was expected.</exception>
    public static SafetensorsFile Open(string path) => new(new MappedSource(path));

    /// <summary>Opens and checks a file's content that is in memory already.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="FormatException">The content breaks a rule of the format.</exception>
    public static SafetensorsFile Open(ReadOnlyMemory<byte> content, string name = "safetensors content") => new(new MappedSource(content, name));

    /// <summary>Whether there is a tensor of that name.</summary>
    /// <param name="name">The tensor's key.</param>
    public bool Contains(string name) => _source.Find(name) is not null;

    /// <summary>What the header says about a tensor.</summary>
    /// <param name="name">The tensor's key.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name.</exception>
    public SafetensorsEntry this[string name] =>
        _source.Find(name) ?? throw new KeyNotFoundException($"{_source.Source} has no tensor '{name}'; it has {Entries.Count} tensors.");

    /// <summary>Reads a tensor into a new CPU tensor of the stored element type.</summary>
    /// <param name="name">The tensor's key.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name.</exception>
    public Tensor Read(string name)
    {
        SafetensorsEntry entry = this[name];
        Tensor result = empty([.. entry.Shape], entry.DType, CPU);
        _source.Read(entry, result);
        return result;
    }

    /// <summary>Reads a tensor into one that exists, converting the element type and the device where they differ.</summary>
    /// <param name="name">The tensor's key.</param>
    /// <param name="destination">A contiguous tensor of the stored shape.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void ReadInto(string name, Tensor destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        _source.Read(this[name], destination);
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    internal TensorSource AsSource() => _source;

    /// <summary>A file or a block of memory, behind one pointer.</summary>
    private sealed class MappedSource : TensorSource
    {
        private readonly Dictionary<string, SafetensorsEntry> _byName;
        private readonly MemoryMappedFile? _file;
        private readonly MemoryMappedViewAccessor? _view;
        private readonly System.Buffers.MemoryHandle _pin;
        private readonly SafetensorsHeader _header;
        private byte* _data;

        public MappedSource(string path)
        {
            Source = path;
            long length = new FileInfo(path).Length;
            if (length < SafetensorsHeader.LengthBytes) SafetensorsHeader.ReadLength(new byte[length], length, path);
            _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            try
            {
                _view = _file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
                byte* start = null;
                _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
                _header = Check(start + _view.PointerOffset, length);
                _byName = _header.Entries.ToDictionary(entry => entry.Name);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public MappedSource(ReadOnlyMemory<byte> content, string name)
        {
            Source = name;
            _pin = content.Pin();
            try
            {
                _header = Check((byte*)_pin.Pointer, content.Length);
                _byName = _header.Entries.ToDictionary(entry => entry.Name);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public override string Source { get; }

        public override IReadOnlyList<SafetensorsEntry> Entries => _header.Entries;

        public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

        public SafetensorsEntry? Find(string name) => _byName.GetValueOrDefault(name);

        public void Read(SafetensorsEntry entry, Tensor destination)
        {
            ObjectDisposedException.ThrowIf(_data is null, this);
            if (!destination.shape.AsSpan().SequenceEqual(entry.Shape.ToArray()))
            {
                throw new ArgumentException(
                    $"{Source}: tensor '{entry.Name}' has shape [{string.Join(", ", entry.Shape)}]; the destination has [{string.Join(", ", destination.shape)}].",
                    nameof(destination));
            }

            byte* next = _data + entry.Begin;
            TensorBytes.Fill(destination, entry.DType, span =>
            {
                new ReadOnlySpan<byte>(next, span.Length).CopyTo(span);
                next += span.Length;
            });
        }

        public override void ReadAll(Func<SafetensorsEntry, Tensor?> destinationOf)
        {
            foreach (SafetensorsEntry entry in Entries)
                if (destinationOf(entry) is { } destination) Read(entry, destination);
        }

        public override void Dispose()
        {
            if (_data is not null) _view?.SafeMemoryMappedViewHandle.ReleasePointer();
            _data = null;
            _view?.Dispose();
            _file?.Dispose();
            _pin.Dispose();
        }

        private SafetensorsHeader Check(byte* start, long length)
        {
            // Set first, so that Dispose releases the pointer when the header is refused.
            _data = start;
            int headerBytes = SafetensorsHeader.ReadLength(
                new ReadOnlySpan<byte>(start, (int)Math.Min(length, SafetensorsHeader.LengthBytes)), length, Source);
            byte[] json = new ReadOnlySpan<byte>(start + SafetensorsHeader.LengthBytes, headerBytes).ToArray();
            long dataStart = SafetensorsHeader.LengthBytes + headerBytes;
            SafetensorsHeader header = SafetensorsHeader.Parse(json, length - dataStart, Source);
            _data = start + dataStart;
            return header;
        }
    }
}
