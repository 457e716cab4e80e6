using System.Text;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What else a file can hold is refused by name, runs nothing and costs little.</summary>
public class HostileFileTests
{
    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("builtins", "getattr")]
    [InlineData("__builtin__", "exec")]
    [InlineData("subprocess", "Popen")]
    [InlineData("torch", "load")]
    [InlineData("torch.jit", "load")]
    [InlineData("torch._utils", "_rebuild_qtensor")]
    [InlineData("torch._tensor", "_rebuild_from_type_v2")]
    [InlineData("torch", "QInt8Storage")]
    [InlineData("torch", "float8_e4m3fn")]
    [InlineData("numpy.core.multiarray", "_reconstruct")]
    [InlineData("collections", "defaultdict")]
    [InlineData("collections.OrderedDict", "fromkeys")]
    [InlineData("", "")]
    public void A_class_or_function_that_weights_do_not_need_is_refused_by_name(string module, string name)
    {
        var global = new PythonGlobal(module, name);

        foreach (int protocol in (int[])[2, 4])
        {
            var refused = Refused<NotSupportedException>(Pickle(new PythonCall(global, ["echo"]), protocol));
            Assert.Contains($"'{module}.{name}'", refused.Message);
            Assert.Contains("safetensors", refused.Message);
            Refused<NotSupportedException>(Pickle(new (string, object?)[] { ("weight", global) }, protocol));
        }
    }

    public static TheoryData<string, string> Instructions() => new()
    {
        { "INST", "69" }, { "OBJ", "6F" }, { "NEWOBJ", "81" }, { "NEWOBJ_EX", "92" }, { "EXT1", "82" }, { "EXT2", "83" }, { "EXT4", "84" }, { "DUP", "32" }, { "POP", "30" }, { "POP_MARK", "31" },
        { "PERSID", "50" }, { "PUT", "70" }, { "GET", "67" }, { "LONG4", "8B" }, { "BINBYTES", "42" }, { "SHORT_BINBYTES", "43" }, { "BINBYTES8", "8E" }, { "BYTEARRAY8", "96" },
        { "EMPTY_SET", "8F" }, { "ADDITEMS", "90" }, { "FROZENSET", "91" }, { "NEXT_BUFFER", "97" }, { "DICT", "64" }, { "LIST", "6C" }, { "INT", "49" }, { "STRING", "53" }, { "UNICODE", "56" },
        { "BINUNICODE8", "8D" }, { "none", "00" }, { "none", "FF" },
    };

    [Theory]
    [MemberData(nameof(Instructions))]
    public void An_instruction_that_weights_do_not_need_is_refused(string name, string code)
    {
        var refused = Refused<NotSupportedException>(Raw("80027D" + code));

        Assert.True(refused.Message.Contains($"0x{code}"), $"{name}: {refused.Message}");
    }

    public static TheoryData<string, string, string> BrokenPickles() => new()
    {
        { "nothing", "", "no end" },
        { "no stop", "80027D", "no end" },
        { "stop on an empty stack", "80022E", "too few objects" },
        { "a later protocol", "8006", "protocol 6" },
        { "a text longer than the file", "800258FFFFFF002E", "a text of 16777215 bytes" },
        { "a text of 4 GiB", "800258FFFFFFFF2E", "a text of 4294967295 bytes" },
        { "a text that is not UTF-8", "80025801000000FF2E", "not UTF-8" },
        { "a number of 255 bytes", "80028AFF2E", "255 bytes" },
        { "an object that was not remembered", "800268052E", "number 5" },
        { "a tuple without a mark", "8002742E", "no mark" },
        { "items without a dictionary", "800228580100000061580100000061752E", "too few objects" },
        { "a key without a value", "80027D28580100000061752E", "a key without a value" },
        { "a key that is no text", "80027D284B014E752E", "a key that is an integer" },
        { "items of a list", "80025D28580100000061580100000061752E", "a list where another" },
        { "an item of a dictionary", "80027D4E61", "a dictionary where another" },
        { "a state of a list", "80025D4E622E", "a list where another" },
        { "a call of a text", "800258010000006129522E", "a text where another" },
        { "a call of a storage", "800263746F7263680A466C6F617453746F726167650A29522E", "where another" },
        { "a call without a tuple", "800263636F6C6C656374696F6E730A4F726465726564446963740A4E522E", "where another" },
        { "a call with other arguments", "800263636F6C6C656374696F6E730A4F726465726564446963740A4E85522E", "arguments that collections.OrderedDict" },
        { "a global of numbers", "80024B014B02932E", "where another" },
        { "what lies below a mark", "80027D284E732E", "too few objects" },
        { "a persistent object that is no storage", "80024E85512E", "no storage" },
        { "the state dictionary is missing", "80024E2E", "holds None" },
        { "a tuple", "8002292E", "holds a tuple" },
        { "a dictionary of texts", "80027D580100000061580100000062732E", "'a' is a text" },
    };

    [Theory]
    [MemberData(nameof(BrokenPickles))]
    public void A_broken_pickle_is_refused_with_the_file_and_the_fault(string fault, string pickle, string inMessage)
    {
        var refused = Refused<FormatException>(Raw(pickle));

        Assert.True(refused.Message.Contains("test.bin") && refused.Message.Contains(inMessage), $"{fault}: {refused.Message}");
    }

    [Fact]
    public void A_pickle_that_is_not_of_torch_save_is_refused()
    {
        byte[] file = [0x80, 2, .. "cos\nsystem\nX"u8, 4, 0, 0, 0, .. "echo"u8, 0x85, (byte)'R', (byte)'.'];

        Assert.Contains("not one of torch.save", Refused<NotSupportedException>(file).Message);
    }

    [Fact]
    public void Bombs_end_soon_and_cost_little()
    {
        using var scope = NewDisposeScope();

        // Ten tuples of ten of the one before, a hundred times: 10^100 objects if anybody followed them.
        var laughs = new List<byte> { 0x80, 2, (byte)')', (byte)'q', 0 };
        for (byte i = 0; i < 100; i++)
        {
            laughs.Add((byte)'(');
            for (int j = 0; j < 10; j++) laughs.AddRange([(byte)'h', i]);
            laughs.AddRange([(byte)'t', (byte)'q', (byte)(i + 1)]);
        }

        Cheap("holds a tuple", [.. laughs, (byte)'.']);
        Cheap("holds a list", [0x80, 2, (byte)']', (byte)'q', 0, (byte)'h', 0, (byte)'a', (byte)'.']); // a list that holds itself
        Cheap("steps", Many("7D", "", 1_500_000)); // dictionaries
        Cheap("steps", Many("28", "", 1_500_000)); // marks
        Cheap("steps", Many("5D94", "", 800_000)); // lists, all remembered
        Cheap("holds a tuple", Many("85", "29", 900_000)); // a tuple in a tuple in a tuple...
        Cheap("steps", Many("7D6800680173", "5801000000617100", 500_000, "7101")); // dictionaries with an item each

        // A list of 100,000 pairs, given to many calls.
        Cheap("steps", Many("680168008552", "63636F6C6C656374696F6E730A4F726465726564446963740A71015D28" + Pairs(100_000) + "657100", 1000));

        static string Pairs(int count) => string.Concat(Enumerable.Repeat("58010000006129" + "86", count));

        static byte[] Many(string repeated, string before, int count, string more = "") =>
            [0x80, 2, .. Convert.FromHexString(before + more), .. Enumerable.Repeat(Convert.FromHexString(repeated), count).SelectMany(bytes => bytes), (byte)'.'];

        static void Cheap(string inMessage, byte[] pickle)
        {
            byte[] file = new ZipWriter().Add("archive/data.pkl", pickle).ToArray();
            long before = GC.GetAllocatedBytesForCurrentThread();
            var refused = Refused<FormatException>(file);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 250_000_000);
            Assert.Contains(inMessage, refused.Message);
        }
    }

    public static TheoryData<string, long, long[], long[], string> BrokenViews() => new()
    {
        { "before the storage", -1, [2], [1], "starts at element -1" },
        { "behind the storage", 25, [], [], "starts at element 25" },
        { "at its end", 24, [1], [1], "reaches" },
        { "over its end", 20, [5], [1], "reaches" },
        { "strides over its end", 0, [2, 2], [24, 1], "reaches" },
        { "a negative dimension", 0, [-2, 3], [3, 1], "[-2, 3]" },
        { "a negative stride", 23, [2, 3], [-3, 1], "strides [-3, 1]" },
        { "more than 2^63 elements", 0, [3, 3], [long.MaxValue, 1], "2^63" },
        { "a huge dimension", 0, [long.MaxValue, 3], [0, 1], "more than once" },
        { "a repeated row", 0, [1_000_000, 3], [0, 1], "more than once" },
        { "rows that overlap", 0, [4, 4], [2, 1], "more than once" },
        { "dimensions that overlap", 0, [3, 4], [1, 1], "more than once" },
        { "fewer strides than dimensions", 0, [2, 3], [1], "does not take" },
        { "65 dimensions", 0, [.. Enumerable.Repeat(1L, 65)], [.. Enumerable.Repeat(1L, 65)], "does not take" },
    };

    [Theory]
    [MemberData(nameof(BrokenViews))]
    public void A_view_that_reaches_out_of_its_storage_or_repeats_elements_is_refused(string fault, long offset, long[] shape, long[] strides, string inMessage)
    {
        using var scope = NewDisposeScope();
        var writer = new TorchWriter();
        writer.Add("weight", writer.AddStorage(zeros(24)), offset, shape, strides);

        foreach (byte[] file in (byte[][])[writer.Archive(), writer.Sequence()])
        {
            var refused = Refused<FormatException>(file);
            Assert.True(refused.Message.Contains(inMessage), $"{fault}: {refused.Message}");
        }
    }

    [Fact]
    public void Storages_that_are_not_what_they_claim_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("expected 25 elements", Refused<FormatException>(new TorchWriter { ClaimedBeyond = 1 }.Add("weight", zeros(24)).Archive()).Message);
        Assert.Contains("expected 9223372036854775807 elements", Refused<FormatException>(new TorchWriter { ClaimedBeyond = long.MaxValue - 24 }.Add("weight", zeros(24, dtype: ScalarType.Byte)).Archive()).Message);
        Assert.Contains("of 9223372036854775807 elements", Refused<FormatException>(new TorchWriter { ClaimedBeyond = long.MaxValue - 24 }.Add("weight", zeros(24)).Archive()).Message);
        Assert.Contains("cut off", Refused<FormatException>(new TorchWriter { ClaimedBeyond = 1 }.Add("weight", zeros(24)).Sequence()).Message);
        Assert.Contains("its tensors say 25", Refused<FormatException>([.. new TorchWriter { ClaimedBeyond = 1 }.Add("weight", zeros(24)).Sequence(), 0, 0, 0, 0]).Message);
        Assert.Contains("not their bytes", Refused<FormatException>(TorchWriter.Of(("weight", zeros(24))).Sequence(new List<object?>())).Message);
        Assert.Contains("'1'", Refused<FormatException>(TorchWriter.Of(("weight", zeros(24))).Sequence(new List<object?> { "1" })).Message);
        Assert.Contains("once", Refused<FormatException>(TorchWriter.Of(("weight", zeros(24))).Sequence(new List<object?> { "0", "0" })).Message);
        Assert.Contains("no list", Refused<FormatException>(TorchWriter.Of(("weight", zeros(24))).Sequence("0")).Message);

        var twice = new TorchWriter();
        twice.Add("weight", twice.AddStorage(zeros(24)), 0, [24], [1]);
        var other = new PythonPersistent(["storage", new PythonGlobal("torch", "HalfStorage"), "0", "cpu", 24]);
        twice.Add("other", twice.TensorOf(0, 0, [24], [1]) with { Arguments = [other, .. twice.TensorOf(0, 0, [24], [1]).Arguments[1..]] });
        Assert.Contains("storage '0' once as 24 elements of Float32", Refused<FormatException>(twice.Archive()).Message);

        var views = new TorchWriter();
        int storage = views.AddStorage(zeros(10_000));
        for (int i = 0; i < 100; i++) views.Add($"{i}", storage, 0, [10_000], [1]);
        Assert.Contains("8 times", Refused<FormatException>(views.Archive()).Message);
    }

    [Fact]
    public void Something_else_than_tensors_by_name_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        TorchWriter writer = TorchWriter.Of(("weight", zeros(3)));

        Assert.Contains("'epoch' is an integer", Refused<FormatException>(writer.Add("epoch", (object)3).Archive()).Message);
        Assert.Contains("'state_dict' is a dictionary", Refused<FormatException>(new TorchWriter { Change = state => new (string, object?)[] { ("state_dict", state) } }.Add("weight", zeros(3)).Archive()).Message);
        Assert.Contains("whole model", Refused<NotSupportedException>(Pickle(new PythonPersistent(["module", "m", "file", "code"]))).Message);
    }

    [Fact]
    public void Forms_that_are_not_read_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        Tensor values = zeros(3);

        Assert.Contains("'big'", Refused<NotSupportedException>(new TorchWriter { ByteOrder = "big" }.Add("weight", values).Archive()).Message);
        Assert.Contains("big-endian", Refused<NotSupportedException>(TorchWriter.Of(("weight", values)).Sequence(isLittleEndian: false)).Message);
        Assert.Contains("'11'", Refused<NotSupportedException>(new TorchWriter { Version = "11\n" }.Add("weight", values).Archive()).Message);
        Assert.Contains("1001", Refused<NotSupportedException>(TorchWriter.Of(("weight", values)).Sequence(version: 1002)).Message);
        Assert.Contains("Git LFS", Refused<FormatException>(Encoding.UTF8.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")).Message);
        Assert.Contains("Git LFS", Assert.Throws<FormatException>(() => SafetensorsFile.Open("version https://git-lfs.github.com/spec/v1\n"u8.ToArray())).Message);
        Assert.Contains("text", Refused<FormatException>("<html>"u8.ToArray()).Message);
        Assert.Contains("empty", Refused<FormatException>([]).Message);
        Assert.Contains("0x6D6F6465", Refused<FormatException>("model0000"u8.ToArray()).Message);
    }

    private static byte[] Pickle(object? value, int protocol = 2) => new ZipWriter().Add("archive/data.pkl", PickleWriter.Pickle(value, protocol)).ToArray();

    private static byte[] Raw(string pickle) => new ZipWriter().Add("archive/data.pkl", Convert.FromHexString(pickle)).ToArray();

    private static T Refused<T>(byte[] file)
        where T : Exception => Assert.Throws<T>(() => TorchFile.Open(new MemoryContent(file, "test.bin")));
}
