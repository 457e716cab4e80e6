using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A safetensors file, read straight into tensors.</summary>
/// <remarks>The format is described at https://huggingface.co/docs/safetensors. A file is checked as a whole when it is opened.</remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly ContentTensors _source;
    private readonly Dictionary<string, StoredTensor> _byName;

    private SafetensorsFile(Content content)
    {
        try
        {
            SafetensorsHeader header = ReadHeader(content);
            _source = new ContentTensors(content, header.Entries);
            _byName = header.Entries.ToDictionary(entry => entry.Name);
            Metadata = header.Metadata;
        }
        catch
        {
            content.Dispose();
            throw;
        }
    }

    /// <summary>The names of the tensors, in the order of their bytes.</summary>
    public IEnumerable<string> Names => Entries.Select(entry => entry.Name);

    /// <summary>The tensors, in the order of their bytes.</summary>
    public IReadOnlyList<StoredTensor> Entries => _source.Entries;

    /// <summary>The <c>__metadata__</c> of the header; empty where there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file breaks a rule of the format; the message names the tensor, what was found and what was expected.</exception>
    public static SafetensorsFile Open(string path) => new(new FileContent(path));

    /// <summary>Opens and checks a file's content that is in memory already.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="FormatException">The content breaks a rule of the format.</exception>
    public static SafetensorsFile Open(ReadOnlyMemory<byte> content, string name = "safetensors content") => new(new MemoryContent(content, name));

    /// <summary>Whether there is a tensor of that name.</summary>
    /// <param name="name">The tensor's key.</param>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>What the header says about a tensor.</summary>
    /// <param name="name">The tensor's key.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name.</exception>
    public StoredTensor this[string name] =>
        _byName.GetValueOrDefault(name) ?? throw new KeyNotFoundException($"{_source.Source} has no tensor '{name}'; it has {Entries.Count} tensors.");

    /// <summary>Reads a tensor into a new CPU tensor of the stored element type.</summary>
    /// <param name="name">The tensor's key.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name.</exception>
    public Tensor Read(string name)
    {
        StoredTensor entry = this[name];
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

    private static SafetensorsHeader ReadHeader(Content content)
    {
        byte[] prefix = content.Read(0, (int)Math.Min(content.Length, SafetensorsHeader.LengthBytes));
        int headerBytes = SafetensorsHeader.ReadLength(prefix, content.Length, content.Name);
        byte[] json = content.Read(SafetensorsHeader.LengthBytes, headerBytes);
        return SafetensorsHeader.Parse(json, content.Length - SafetensorsHeader.LengthBytes - headerBytes, content.Name);
    }
}
