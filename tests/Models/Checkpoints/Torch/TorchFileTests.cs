using System.IO.Compression;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What torch.save writes for weights is read, whichever PyTorch wrote it.</summary>
public class TorchFileTests
{
    private static readonly ScalarType[] s_types =
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    [Theory]
    [InlineData(2, true)]
    [InlineData(4, true)]
    [InlineData(2, false)]
    [InlineData(4, false)]
    public void Every_element_type_comes_back_from_either_form_and_protocol(int protocol, bool isArchive)
    {
        using var scope = NewDisposeScope();
        Tensor values = arange(-3, 9, ScalarType.Float32).view(3, 4);
        var writer = new TorchWriter { Protocol = protocol };
        foreach (ScalarType type in s_types) writer.Add($"{type}", values.to(type));
        writer.Add("scalar", tensor(2.5f)).Add("empty", zeros(0, 4)).Add("one", zeros(1, 1, 3));

        Dictionary<string, Tensor> read = Read(isArchive ? writer.Archive() : writer.Sequence());

        Assert.Equal([.. s_types.Select(type => $"{type}"), "scalar", "empty", "one"], read.Keys);
        foreach (ScalarType type in s_types) Same(values.to(type), read[$"{type}"]);
        Same(tensor(2.5f), read["scalar"]);
        Assert.Equal([0L, 4L], read["empty"].shape);
        Same(zeros(1, 1, 3), read["one"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Views_of_one_storage_are_read_each_in_its_own_order(bool isArchive)
    {
        using var scope = NewDisposeScope();
        Tensor all = randn(6, 5, 4);
        var writer = new TorchWriter();
        int storage = writer.AddStorage(all);
        writer.Add("all", storage, 0, [6, 5, 4], [20, 4, 1]);
        writer.Add("tied", storage, 0, [6, 5, 4], [20, 4, 1]);
        writer.Add("rows", storage, 40, [2, 5, 4], [20, 4, 1]);
        writer.Add("transposed", storage, 0, [4, 5, 6], [1, 4, 20]);
        writer.Add("turned", storage, 0, [5, 6, 4], [4, 20, 1]);
        writer.Add("columns", storage, 1, [6, 5, 2], [20, 4, 1]);
        writer.Add("every second", storage, 0, [3, 5, 2], [40, 4, 2]);
        writer.Add("row as column", storage, 4, [4, 1], [1, 777]);
        writer.Add("one element", storage, 119, [1, 1], [0, 0]);

        Dictionary<string, Tensor> read = Read(isArchive ? writer.Archive() : writer.Sequence());

        Same(all, read["all"]);
        Same(all, read["tied"]);
        Same(all[2..4], read["rows"]);
        Same(all.permute(2, 1, 0), read["transposed"]);
        Same(all.permute(1, 0, 2), read["turned"]);
        Same(all[.., .., 1..3], read["columns"]);
        Same(all.index(TensorIndex.Slice(null, null, 2), TensorIndex.Ellipsis, TensorIndex.Slice(null, null, 2)), read["every second"]);
        Same(all[0, 1].view(4, 1), read["row as column"]);
        Same(all[5, 4, 3].view(1, 1), read["one element"]);
    }

    [Fact]
    public void Views_that_are_larger_than_the_buffer_are_read_in_pieces()
    {
        using var scope = NewDisposeScope();
        Tensor wide = randn(3, 700_000), tall = randn(700_000, 3);
        var writer = new TorchWriter();
        int first = writer.AddStorage(wide), second = writer.AddStorage(tall);
        writer.Add("wide", first, 0, [700_000, 3], [1, 700_000]);
        writer.Add("tall", second, 0, [3, 700_000], [1, 3]);
        writer.Add("part", second, 1, [700_000, 2], [3, 1]);

        Dictionary<string, Tensor> read = Read(writer.Archive());

        Same(wide.t(), read["wide"]);
        Same(tall.t(), read["tall"]);
        Same(tall[.., 1..3], read["part"]);
    }

    [Fact]
    public void Element_types_are_converted_on_the_way()
    {
        using var scope = NewDisposeScope();
        Tensor values = randn(900, 1000);
        var writer = new TorchWriter();
        int storage = writer.AddStorage(values.bfloat16());
        writer.Add("plain", storage, 0, [900, 1000], [1000, 1]).Add("transposed", storage, 0, [1000, 900], [1, 1000]);

        foreach (ScalarType type in (ScalarType[])[ScalarType.Float32, ScalarType.Float16, ScalarType.Float64])
        {
            Dictionary<string, Tensor> read = Read(writer.Archive(), type);

            Same(values.bfloat16().to(type), read["plain"]);
            Same(values.bfloat16().to(type).t(), read["transposed"]);
        }
    }

    [Fact]
    public void Parameters_older_tensors_and_plain_dictionaries_are_read()
    {
        using var scope = NewDisposeScope();
        Tensor values = randn(2, 3);
        TorchWriter writer = new() { Change = state => ((PythonCall)state!).Items };
        int storage = writer.AddStorage(values);
        PythonCall plain = writer.TensorOf(storage, 0, [2, 3], [3, 1]), hooks = new(TorchWriter.OrderedDictionary, []);
        writer.Add("parameter", new PythonCall(new PythonGlobal("torch._utils", "_rebuild_parameter"), [plain, true, hooks]));
        writer.Add("first version", new PythonCall(new PythonGlobal("torch._utils", "_rebuild_tensor"), plain.Arguments[..4]));
        writer.Add("with metadata", plain with { Arguments = [.. plain.Arguments, null] });
        writer.Add("third version", new PythonCall(new PythonGlobal("torch._utils", "_rebuild_tensor_v3"),
        [
            new PythonPersistent(["storage", new PythonGlobal("torch.storage", "UntypedStorage"), "1", "cpu", 24]), 0, plain.Arguments[2], plain.Arguments[3], false, hooks,
            new PythonGlobal("torch", "float32"),
        ]));
        writer.AddStorage(values);

        Assert.All(Read(writer.Archive()), pair => Same(values, pair.Value));
    }

    [Fact]
    public void Dictionaries_and_texts_of_Python_2_are_read()
    {
        using var scope = NewDisposeScope();
        Tensor values = randn(2, 3);
        var writer = new TorchWriter
        {
            Change = state => new PythonCall(TorchWriter.OrderedDictionary, [((PythonCall)state!).Items!.Select(item => (object?)new List<object?> { item.Key, item.Value }).ToList()]),
        };
        byte[] file = writer.Add("weight", values).Sequence();
        byte[] unicode = [(byte)'X', 6, 0, 0, 0, .. "weight"u8], bytes = [(byte)'U', 6, .. "weight"u8];
        int at = file.AsSpan().IndexOf(unicode);

        Same(values, Assert.Single(Read([.. file[..at], .. bytes, .. file[(at + unicode.Length)..]])).Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_archive_of_any_zip_writer_is_read(bool isZip64)
    {
        using var scope = NewDisposeScope();
        Tensor values = randn(2, 3);
        Same(values, Read(new TorchWriter { IsZip64 = isZip64, ByteOrder = null, Version = null }.Add("weight", values).Archive())["weight"]);

        using var stream = new MemoryStream();
        using (var source = new ZipArchive(new MemoryStream(TorchWriter.Of(("weight", values)).Archive())))
        using (var target = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (ZipArchiveEntry entry in source.Entries)
            {
                using Stream from = entry.Open(), to = target.CreateEntry(entry.FullName.Replace("archive/", "pytorch_model/"), CompressionLevel.NoCompression).Open();
                from.CopyTo(to);
            }
        }

        Same(values, Read(stream.ToArray())["weight"]);
    }

    [Fact]
    public void A_pickle_that_CPython_wrote_with_protocol_4_is_read()
    {
        using var scope = NewDisposeScope();
        byte[] pickle = Convert.FromHexString(
            "80049517010000000000008C0B636F6C6C656374696F6E73948C0B4F72646572656444696374949394295294288C0E6C617965722E302E776569676874948C0C746F7263682E5F7574696C73948C125F"
            + "72656275696C645F74656E736F725F763294939428288C0773746F72616765948C05746F726368948C0C466C6F617453746F726167659493948C0130948C03637075944B067494514B004B024B038694"
            + "4B034B018694896802295294749452948C0E6C617965722E312E77656967687494680728286808680B8C013194680D4B067494514B00680F4B034B01869489680229529474945294757D948C095F6D65"
            + "746164617461946802295294288C00947D948C0776657273696F6E944B01738C056C61796572947D9468204B01737573622E");
        Tensor first = randn(2, 3), second = randn(2, 3);

        Dictionary<string, Tensor> read = Read(new ZipWriter().Add("m/data.pkl", pickle).Add("m/data/0", first.bytes.ToArray()).Add("m/data/1", second.bytes.ToArray()).ToArray());

        Same(first, read["layer.0.weight"]);
        Same(second, read["layer.1.weight"]);
    }

    [Fact]
    public void Weights_come_from_the_file_of_a_folder_and_from_several()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 3);
        (string, Tensor)[] weights = [.. model.named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter.detach()))];
        File.WriteAllBytes(folder[ModelFolder.ConfigName], model.Config.ToJson(model.Head));
        File.WriteAllBytes(folder["pytorch_model.bin"], TorchWriter.Of(weights).Archive());
        using (CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path)) ModelSamples.AssertSameWeights(model, loaded);

        File.Delete(folder["pytorch_model.bin"]);
        File.WriteAllBytes(folder["a.bin"], TorchWriter.Of(weights[..5]).Archive());
        File.WriteAllBytes(folder["b.bin"], TorchWriter.Of(weights[5..]).Sequence());
        string map = string.Join(", ", weights.Select((pair, i) => $"\"{pair.Item1}\": \"{(i < 5 ? "a" : "b")}.bin\""));
        File.WriteAllText(folder["pytorch_model.bin.index.json"], $$"""{"weight_map": { {{map}} } }""");
        using (CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path)) ModelSamples.AssertSameWeights(model, loaded);

        // Beside safetensors, PyTorch's form is not looked at.
        File.WriteAllText(folder["pytorch_model.bin"], "no weights");
        model.Save(folder.Path);
        using (CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path)) ModelSamples.AssertSameWeights(model, loaded);
    }

    private static Dictionary<string, Tensor> Read(byte[] file, ScalarType? type = null)
    {
        using TensorSource source = TorchFile.Open(new MemoryContent(file, "test.bin"));
        Dictionary<string, Tensor> tensors = source.Entries.ToDictionary(entry => entry.Name, entry => full([.. entry.Shape], 7, type ?? entry.DType));
        source.ReadAll(entry => tensors[entry.Name]);
        return tensors;
    }

    private static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(expected.equal(actual).all().item<bool>());
    }
}
