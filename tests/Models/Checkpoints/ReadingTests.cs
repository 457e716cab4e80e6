using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>How weights get from files into a model: their element types, and what remains behind.</summary>
public class ReadingTests
{
    public static TheoryData<ScalarType, ScalarType?, bool, bool> Types() =>
    [
        .. from stored in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16]
           from asked in (ScalarType?[])[null, ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16]
           from isTorchFile in (bool[])[false, true]
           from isNamed in (bool[])[false, true]
           select (stored, asked, isTorchFile, isNamed),
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void Weights_keep_the_stored_type_or_take_the_one_asked_for(ScalarType stored, ScalarType? asked, bool isTorchFile, bool isNamed)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(isNamed ? $""", "dtype": "{DecoderConfigKeys.NameOf(stored)}" """ : ""), seed: 3, ScalarType.Float32);
        (string Name, Tensor Value)[] weights = [.. model.named_parameters().Select(pair => (pair.name, pair.parameter.detach().to(stored)))];
        File.WriteAllText(folder[ModelFolder.ConfigName], ModelSamples.Json(isNamed ? $""", "dtype": "{DecoderConfigKeys.NameOf(stored)}" """ : ""));
        if (isTorchFile) File.WriteAllBytes(folder["pytorch_model.bin"], TorchWriter.Of([("model.rotary_emb.inv_freq", ones(2, dtype: ScalarType.Int64)), .. weights]).Archive());
        else SafetensorsWriter.Write(folder[ModelFolder.WeightsName], weights.Select(pair => new KeyValuePair<string, Tensor>(pair.Name, pair.Value)));

        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path, asked);

        Assert.Equal(asked ?? stored, loaded.DType);
        foreach (var (name, value) in weights)
        {
            Tensor found = loaded.get_parameter(name)!;
            Assert.Equal(asked ?? stored, found.dtype);
            Assert.True(found.equal(value.to(asked ?? stored)).all().item<bool>(), name);
        }
    }

    [Fact]
    public void Tensors_of_many_pieces_are_read_whole()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Tensor large = randn(1100, 1013), small = randn(3), empty = zeros(0, 3);
        SafetensorsWriter.Write(folder["x.safetensors"], [new("large", large), new("small", small), new("empty", empty), new("half", large.to(ScalarType.Float16))]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["x.safetensors"]);
        Tensor wide = zeros(1100, 1013, dtype: ScalarType.Float64);

        file.ReadInto("half", wide);

        Assert.True(file.Read("large").equal(large).all().item<bool>());
        Assert.True(file.Read("small").equal(small).all().item<bool>());
        Assert.Equal([0L, 3L], file.Read("empty").shape);
        Assert.True(wide.equal(large.to(ScalarType.Float16).to(ScalarType.Float64)).all().item<bool>());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_file_that_shrinks_after_it_was_opened_is_refused(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder["x.safetensors"], [new("x", randn(1100, 1013))]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["x.safetensors"]);
        using (FileStream cut = File.Open(folder["x.safetensors"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) cut.SetLength(3_000_000);

        var exception = Assert.Throws<FormatException>(() => file.ReadInto("x", zeros(1100, 1013, dtype: type)));

        Assert.Contains("cut off", exception.Message);
    }

    [Fact]
    public void A_source_that_is_closed_says_so()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder["x.safetensors"], [new("x", ones(2))]);
        SafetensorsFile ofFile = SafetensorsFile.Open(folder["x.safetensors"]), ofMemory = SafetensorsFile.Open(File.ReadAllBytes(folder["x.safetensors"]));
        ofFile.Dispose();
        ofMemory.Dispose();

        Assert.Throws<ObjectDisposedException>(() => ofFile.Read("x"));
        Assert.Throws<ObjectDisposedException>(() => ofMemory.Read("x"));
    }

    [Fact]
    public void Reading_leaves_no_tensor_behind()
    {
        using Tensor values = randn(700, 800), straight = zeros(700, 800), turned = zeros(800, 700), wide = zeros(700, 800, dtype: ScalarType.Float64);
        var writer = new TorchWriter();
        int storage = writer.AddStorage(values);
        byte[] file = writer.Add("straight", storage, 0, [700, 800], [800, 1]).Add("turned", storage, 0, [800, 700], [1, 800]).Add("wide", storage, 0, [700, 800], [800, 1]).Archive();
        Read();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;

        for (int round = 0; round < 3; round++) Read();

        Assert.Equal(before, Tensor.TotalCount);

        void Read()
        {
            using TensorSource source = TorchFile.Open(new MemoryContent(file, "test.bin"));
            source.ReadAll(entry => entry.Name switch { "straight" => straight, "turned" => turned, _ => wide });
        }
    }
}
