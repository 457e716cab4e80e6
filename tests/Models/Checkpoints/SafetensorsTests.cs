using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class SafetensorsTests
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}""";

    public static TheoryData<string, string, int, string> BrokenHeaders() => new()
    {
        { "not an object", "[]", 0, "does not start with '{'" },
        { "not JSON", "{\"a\":", 0, "not valid JSON" },
        { "empty", "", 0, "does not start with '{'" },
        { "an entry that is no object", """{"a":3}""", 0, "'a' is number 3" },
        { "no element type", """{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "no string 'dtype'" },
        { "an unknown element type", """{"a":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}}""", 8, "'F7'" },
        { "no shape", """{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "no array 'shape'" },
        { "a negative dimension", """{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "-2" },
        { "a fractional dimension", """{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "2.5" },
        { "a shape of more than 2^63 bytes", """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "more than 2^63" },
        { "a shape that needs other bytes", """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "12 bytes" },
        { "one offset", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "data_offsets [0]" },
        { "an end before the beginning", """{"a":{"dtype":"F32","shape":[0],"data_offsets":[8,0]}}""", 8, "begin <= end" },
        { "a tensor beyond the file", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "cut off" },
        { "bytes behind the last tensor", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 24, "Bytes follow" },
        { "a hole", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}""", 6, "hole" },
        { "a hole in front", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", 4, "hole" },
        { "an overlap", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}""", 6, "overlaps" },
        { "a name twice", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", 4, "twice" },
        { "metadata that is no object", """{"__metadata__":[],"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "__metadata__" },
        { "metadata that is no text", """{"__metadata__":{"format":1},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "'format'" },
        { "half a surrogate pair", """{"\ud800":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "not valid text" },
    };

    [Theory]
    [MemberData(nameof(BrokenHeaders))]
    public void A_broken_header_is_refused_with_the_file_and_the_fault(string fault, string json, int dataBytes, string inMessage)
    {
        using var folder = new TemporaryFolder();
        byte[] content = Content(Encoding.UTF8.GetBytes(json), dataBytes);
        string path = folder["model.safetensors"];
        File.WriteAllBytes(path, content);

        var fromFile = Assert.Throws<FormatException>(() => SafetensorsFile.Open(path));
        var fromMemory = Assert.Throws<FormatException>(() => SafetensorsFile.Open(content, "memory"));

        Assert.True(fromFile.Message.Contains(path) && fromFile.Message.Contains(inMessage), $"{fault}: {fromFile.Message}");
        Assert.True(fromMemory.Message.Contains("memory") && fromMemory.Message.Contains(inMessage), $"{fault}: {fromMemory.Message}");
    }

    [Fact]
    public void A_header_that_is_not_utf8_is_refused()
    {
        byte[] json = Encoding.UTF8.GetBytes("""{"?":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""");
        json[Array.IndexOf(json, (byte)'?')] = 0xFF;

        var exception = Assert.Throws<FormatException>(() => SafetensorsFile.Open(Content(json, 2)));

        Assert.Contains("UTF-8", exception.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(20)]
    public void A_file_that_ends_too_early_is_refused(int length)
    {
        using var folder = new TemporaryFolder();
        string path = folder["short.safetensors"];
        File.WriteAllBytes(path, Content(Encoding.UTF8.GetBytes(Good), 9)[..length]);

        var exception = Assert.Throws<FormatException>(() => SafetensorsFile.Open(path));

        Assert.Contains(path, exception.Message);
    }

    [Fact]
    public void A_header_that_claims_more_than_there_is_allocates_nothing()
    {
        byte[] content = Content(Encoding.UTF8.GetBytes(Good), 9);
        BinaryPrimitives.WriteUInt64LittleEndian(content, 1UL << 40);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<FormatException>(() => SafetensorsFile.Open(content));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void A_broken_file_can_be_replaced_because_nothing_keeps_it_open()
    {
        using var folder = new TemporaryFolder();
        string path = folder["broken.safetensors"];
        File.WriteAllBytes(path, Content(Encoding.UTF8.GetBytes("[]"), 0));
        Assert.Throws<FormatException>(() => SafetensorsFile.Open(path));

        using FileStream exclusive = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        Assert.True(exclusive.CanWrite);
    }

    [Fact]
    public void Every_element_type_comes_back_as_it_was_written()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Tensor values = arange(-3, 9, ScalarType.Float32).view(3, 4);
        ScalarType[] types =
        [
            ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32, ScalarType.Int16, ScalarType.Int8,
            ScalarType.Byte, ScalarType.Bool,
        ];
        Dictionary<string, Tensor> tensors = types.ToDictionary(type => type.ToString(), type => values.to(type));
        tensors["scalar"] = tensor(2.5f);
        tensors["empty"] = zeros(0, 4);
        tensors["transposed"] = values.t();
        SafetensorsWriter.Write(folder["all.safetensors"], tensors);

        using SafetensorsFile file = SafetensorsFile.Open(folder["all.safetensors"]);

        Assert.Equal(tensors.Keys.Order(), file.Names.Order());
        Assert.Equal("pt", file.Metadata["format"]);
        foreach (var (name, tensor) in tensors)
        {
            Tensor read = file.Read(name);
            Assert.Equal(tensor.dtype, read.dtype);
            Assert.True(read.shape.AsSpan().SequenceEqual(tensor.shape), name);
            Assert.True(read.equal(tensor).all().item<bool>() || tensor.NumberOfElements == 0, name);
        }

        // The first tensor starts at a multiple of 8, and a wide element never behind a narrow one.
        byte[] bytes = File.ReadAllBytes(folder["all.safetensors"]);
        Assert.Equal(0UL, BinaryPrimitives.ReadUInt64LittleEndian(bytes) % 8);
        Assert.All(file.Entries, entry => Assert.Equal(0, entry.Begin % SafetensorsType.SizeOf(entry.DType)));
    }

    [Fact]
    public void Tensors_are_converted_where_the_destination_differs()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Tensor values = randn(3000, 7);
        SafetensorsWriter.Write(folder["x.safetensors"], [new("x", values)], ScalarType.BFloat16);
        using SafetensorsFile file = SafetensorsFile.Open(folder["x.safetensors"]);
        Tensor wide = zeros(3000, 7);

        file.ReadInto("x", wide);

        Assert.Equal(ScalarType.BFloat16, file["x"].DType);
        Assert.True(wide.equal(values.bfloat16().to(ScalarType.Float32)).all().item<bool>());
        Assert.Throws<ArgumentException>(() => file.ReadInto("x", zeros(7, 3000)));
        Assert.Throws<KeyNotFoundException>(() => file.Read("y"));
    }

    [Fact]
    public void A_stream_that_cannot_seek_is_written_and_read()
    {
        using var scope = NewDisposeScope();
        Tensor first = randn(5, 3), second = randn(4);
        using var buffer = new MemoryStream();
        using (var forward = new ForwardStream(buffer)) SafetensorsWriter.Write(forward, [new("first", first), new("second", second)]);
        buffer.WriteByte(42);
        buffer.Position = 0;
        Tensor target = zeros(4, dtype: ScalarType.Float64);

        using var reading = new ForwardStream(buffer);
        using var source = new SafetensorsStream(reading, "stream");
        source.ReadAll(entry => entry.Name == "second" ? target : null);

        Assert.True(target.to(ScalarType.Float32).equal(second).all().item<bool>());
        Assert.Equal(42, reading.ReadByte());
    }

    [Fact]
    public void A_stream_that_ends_inside_a_tensor_is_refused()
    {
        using var scope = NewDisposeScope();
        using var buffer = new MemoryStream();
        SafetensorsWriter.Write(buffer, [new("first", zeros(10)), new("second", zeros(9))]);
        buffer.SetLength(buffer.Length - 1);
        buffer.Position = 0;
        using var source = new SafetensorsStream(buffer, "stream");

        var exception = Assert.Throws<FormatException>(() => source.ReadAll(entry => zeros([.. entry.Shape])));

        Assert.Contains("'second'", exception.Message);
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_no_other()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder["x.safetensors"], [new("x", ones(2))]);
        byte[] before = File.ReadAllBytes(folder["x.safetensors"]);

        Assert.Throws<NotSupportedException>(() => SafetensorsWriter.Write(folder["x.safetensors"], [new("x", zeros(2, dtype: ScalarType.ComplexFloat32))]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder["x.safetensors"], [new("x", ones(2)), new("x", ones(2))]));

        Assert.Equal(before, File.ReadAllBytes(folder["x.safetensors"]));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    private static byte[] Content(byte[] json, int dataBytes)
    {
        var content = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(content, (ulong)json.Length);
        json.CopyTo(content, 8);
        return content;
    }

    /// <summary>A stream that only goes forward and gives few bytes at a time, as those of zip entries do.</summary>
    private sealed class ForwardStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, Math.Min(count, 7));

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
