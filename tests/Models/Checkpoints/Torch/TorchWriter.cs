using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Writes files as torch.save does: tensors that are views of storages, in either form.</summary>
internal sealed class TorchWriter
{
    private readonly List<(string Key, PythonGlobal Class, long Count, byte[] Bytes)> _storages = [];
    private readonly List<(string Name, object? Value)> _items = [];

    public static PythonGlobal OrderedDictionary { get; } = new("collections", "OrderedDict");

    public static PythonGlobal RebuildTensor { get; } = new("torch._utils", "_rebuild_tensor_v2");

    /// <summary>The protocol of the pickles.</summary>
    public int Protocol { get; init; } = 2;

    /// <summary>The order of bytes that the archive claims.</summary>
    public string? ByteOrder { get; init; } = "little";

    /// <summary>The version that the archive claims.</summary>
    public string? Version { get; init; } = "3\n";

    /// <summary>Whether the archive says its sizes and places in the way of large ones.</summary>
    public bool IsZip64 { get; init; }

    /// <summary>The number of elements that storages claim beyond what they have.</summary>
    public long ClaimedBeyond { get; init; }

    /// <summary>Changes what is pickled.</summary>
    public Func<object?, object?> Change { get; init; } = static value => value;

    /// <summary>A file of contiguous tensors.</summary>
    public static TorchWriter Of(params (string Name, Tensor Value)[] tensors)
    {
        var writer = new TorchWriter();
        foreach (var (name, value) in tensors) writer.Add(name, value);
        return writer;
    }

    /// <summary>Adds a tensor with a storage of its own.</summary>
    public TorchWriter Add(string name, Tensor value) => Add(name, AddStorage(value), 0, value.shape, [.. Enumerable.Range(0, value.shape.Length).Select(i => value.shape[(i + 1)..].Aggregate(1L, (a, b) => a * b))]);

    /// <summary>Adds a storage with a tensor's elements in order.</summary>
    public int AddStorage(Tensor values)
    {
        _storages.Add(($"{_storages.Count}", ClassOf(values.dtype), values.NumberOfElements, values.contiguous().bytes.ToArray()));
        return _storages.Count - 1;
    }

    /// <summary>Adds a view of a storage.</summary>
    public TorchWriter Add(string name, int storage, long offset, long[] shape, long[] strides) => Add(name, TensorOf(storage, offset, shape, strides));

    /// <summary>Adds anything.</summary>
    public TorchWriter Add(string name, object? value)
    {
        _items.Add((name, value));
        return this;
    }

    /// <summary>What a view of a storage is pickled as.</summary>
    public PythonCall TensorOf(int storage, long offset, long[] shape, long[] strides) => new(RebuildTensor,
        [StorageOf(storage), offset, Tuple(shape), Tuple(strides), false, new PythonCall(OrderedDictionary, [])]);

    /// <summary>What a storage is pickled as.</summary>
    public PythonPersistent StorageOf(int storage) =>
        new(["storage", _storages[storage].Class, _storages[storage].Key, "cpu", _storages[storage].Count + ClaimedBeyond]);

    /// <summary>The archive that PyTorch writes since 1.6.</summary>
    public byte[] Archive()
    {
        var zip = new ZipWriter(IsZip64);
        zip.Add("archive/data.pkl", PickleWriter.Pickle(Change(State()), Protocol));
        if (ByteOrder is not null) zip.Add("archive/byteorder", Encoding.UTF8.GetBytes(ByteOrder));
        foreach (var (key, _, _, bytes) in _storages) zip.Add($"archive/data/{key}", bytes);
        if (Version is not null) zip.Add("archive/version", Encoding.UTF8.GetBytes(Version));
        return zip.ToArray();
    }

    /// <summary>The sequence of pickles that PyTorch wrote before 1.6; <paramref name="storageKeys"/> and <paramref name="isLittleEndian"/> can lie.</summary>
    public byte[] Sequence(object? storageKeys = null, bool isLittleEndian = true, int version = 1001)
    {
        using var file = new MemoryStream();
        file.Write([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.']);
        file.Write(PickleWriter.Pickle(version, Protocol));
        file.Write(PickleWriter.Pickle(new (string, object?)[] { ("protocol_version", 1001), ("little_endian", isLittleEndian), ("type_sizes", new (string, object?)[] { ("int", 4) }) }, Protocol));
        file.Write(PickleWriter.Pickle(Change(State()), Protocol));
        file.Write(PickleWriter.Pickle(storageKeys ?? _storages.Select(storage => (object?)storage.Key).ToList(), Protocol));
        foreach (var (_, _, count, bytes) in _storages)
        {
            var length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, count);
            file.Write(length);
            file.Write(bytes);
        }

        return file.ToArray();
    }

    private static object?[] Tuple(long[] values) => [.. values.Select(value => (object?)value)];

    /// <summary>As Module.state_dict gives it: an OrderedDict with the versions of modules.</summary>
    private PythonCall State() => new(OrderedDictionary, [], [.. _items],
        new (string, object?)[] { ("_metadata", new PythonCall(OrderedDictionary, [], [("", new (string, object?)[] { ("version", 1) })])) });

    private static PythonGlobal ClassOf(ScalarType type) => new("torch", type switch
    {
        ScalarType.Float64 => "DoubleStorage",
        ScalarType.Float32 => "FloatStorage",
        ScalarType.Float16 => "HalfStorage",
        ScalarType.BFloat16 => "BFloat16Storage",
        ScalarType.Int64 => "LongStorage",
        ScalarType.Int32 => "IntStorage",
        ScalarType.Int16 => "ShortStorage",
        ScalarType.Int8 => "CharStorage",
        ScalarType.Byte => "ByteStorage",
        ScalarType.Bool => "BoolStorage",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No such storage."),
    });
}
