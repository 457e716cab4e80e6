using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Good files with random damage (from fixed seeds): they load, or are refused by an exception that is documented, and cost no more than a file of their size may.</summary>
public class DamagedFileTests
{
    private static readonly byte[][] s_extremes =
    [
        .. ((long[])[0, 1, -1, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40, byte.MaxValue, ushort.MaxValue]).Select(value => BitConverter.GetBytes(value)),
    ];

    public static TheoryData<string> Files() =>
    [
        .. from pattern in (string[])["model*.safetensors", "pytorch_model*.bin"]
           from path in Directory.EnumerateFiles(ParityFolder.PathOf("layouts"), pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)
           where !path.Contains("broken")
           select Path.GetRelativePath(ParityFolder.PathOf("layouts"), path),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_damaged_file_is_read_or_refused_and_costs_little(string name)
    {
        byte[] good = File.ReadAllBytes(Path.Combine(ParityFolder.PathOf("layouts"), name));
        using (TensorSource source = Open(good, name)) Assert.NotEmpty(source.Entries);
        int refused = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            using var scope = NewDisposeScope();
            byte[] damaged = Damage(good, new Random(seed));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using TensorSource source = Open(damaged, name);
                long claimed = source.Entries.Sum(entry => entry.ByteCount);
                Assert.InRange(claimed, 0, 8L * damaged.Length);
                source.ReadAll(entry => empty([.. entry.Shape], entry.DType));
            }
            catch (Exception exception) when (exception is FormatException or NotSupportedException)
            {
                Assert.Contains(name, exception.Message);
                refused++;
            }
            catch (Exception exception)
            {
                Assert.Fail($"{name}, seed {seed}: {exception}");
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000_000);
        }

        Assert.InRange(refused, 1, 300);
    }

    [Fact]
    public void A_folder_with_damaged_weights_is_loaded_or_refused()
    {
        using var folder = new TemporaryFolder();
        string layouts = ParityFolder.PathOf("layouts");
        foreach (var (layout, file) in ((string, string)[])[("single-file", "model.safetensors"), ("pytorch-bin", "pytorch_model.bin"), ("pytorch-bin-old-pickle", "pytorch_model.bin")])
        {
            File.Copy(Path.Combine(layouts, layout, ModelFolder.ConfigName), folder[ModelFolder.ConfigName], overwrite: true);
            byte[] good = File.ReadAllBytes(Path.Combine(layouts, layout, file));
            for (int seed = 0; seed < 40; seed++)
            {
                File.WriteAllBytes(folder[file], Damage(good, new Random(seed)));
                Exception? exception = Record.Exception(() => CausalLanguageModel.Load(folder.Path).Dispose());
                Assert.True(exception is null or FormatException or NotSupportedException, $"{layout}, seed {seed}: {exception}");
            }

            File.Delete(folder[file]);
        }
    }

    private static TensorSource Open(byte[] content, string name) =>
        name.EndsWith(".bin", StringComparison.Ordinal) ? TorchFile.Open(new MemoryContent(content, name)) : SafetensorsFile.Open(content, name).AsSource();

    /// <summary>One to four changes, most of them where the file says what it holds: at its start, and in an archive at its end.</summary>
    private static byte[] Damage(byte[] good, Random random)
    {
        List<byte> bytes = [.. good];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int near = Math.Min(bytes.Count, 6000), at = random.Next(4) switch
            {
                0 => random.Next(bytes.Count),
                1 => bytes.Count - 1 - random.Next(near),
                _ => random.Next(near),
            };
            int most = Math.Min(bytes.Count - at, 64);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    byte[] value = s_extremes[random.Next(s_extremes.Length)];
                    for (int i = 0; i < Math.Min(random.Next(2) == 0 ? 4 : 8, most); i++) bytes[at + i] = value[i];
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - most), random.Next(most)));
                    break;
                case 4:
                    bytes.RemoveRange(at, random.Next(most));
                    break;
                case 5 when random.Next(4) == 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes.Reverse(at, random.Next(most));
                    break;
            }

            if (bytes.Count < 100) break;
        }

        return [.. bytes];
    }
}
