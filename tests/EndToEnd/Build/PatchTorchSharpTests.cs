using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;
using MLComponents.Build;

namespace MLComponents.EndToEnd.Tests;

public class PatchTorchSharpTests
{
    private static readonly byte[] s_packaged = File.ReadAllBytes(Packaged("libLibTorchSharp.so"));

    [Fact]
    public void Three_fields_change_and_a_second_patch_changes_nothing()
    {
        byte[] patched = [.. s_packaged];
        Assert.True(PatchTorchSharp.Patch(patched));
        Assert.InRange(Differences(s_packaged, patched), 3, 2 + 4 + 2); // a flag, the offset of a name, a version index

        byte[] again = [.. patched];
        Assert.False(PatchTorchSharp.Patch(again));
        Assert.Equal(patched, again);
    }

    [Fact]
    public void The_file_is_replaced_so_that_another_name_of_it_keeps_its_content_and_its_time_stays()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the task runs on Linux only");
        using var folder = new TemporaryFolder();
        string cached = folder["cached.so"], output = folder["output.so"];
        File.WriteAllBytes(cached, s_packaged);
        File.SetLastWriteTimeUtc(cached, new DateTime(2020, 1, 2, 3, 4, 6, DateTimeKind.Utc));
        Assert.Equal(0, Link(cached, output));

        Assert.True(PatchTorchSharp.PatchFile(output));

        Assert.Equal(s_packaged, File.ReadAllBytes(cached));
        Assert.NotEqual(s_packaged, File.ReadAllBytes(output));
        Assert.Equal(File.GetLastWriteTimeUtc(cached), File.GetLastWriteTimeUtc(output));
        Assert.False(PatchTorchSharp.PatchFile(output));
        Assert.Equal(["cached.so", "output.so"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_symbolic_link_is_replaced_and_what_it_points_at_is_not()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the task runs on Linux only");
        using var folder = new TemporaryFolder();
        string cached = folder["cached.so"], output = folder["output.so"];
        File.WriteAllBytes(cached, s_packaged);
        File.CreateSymbolicLink(output, cached);

        Assert.True(PatchTorchSharp.PatchFile(output));

        Assert.Equal(s_packaged, File.ReadAllBytes(cached));
        Assert.NotEqual(s_packaged, File.ReadAllBytes(output));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(4096)]
    [InlineData(1_000_000)]
    [InlineData(-1)]
    public void A_truncated_library_is_refused_and_stays_as_it_is(int length)
    {
        byte[] truncated = s_packaged[..(length < 0 ? s_packaged.Length + length : length)], before = [.. truncated];
        Assert.Throws<InvalidDataException>(() => PatchTorchSharp.Patch(truncated));
        Assert.Equal(before, truncated);
    }

    [Fact]
    public void A_corrupt_header_is_refused_or_harmless_and_never_another_error()
    {
        var random = new Random(1);
        int sectionHeaders = (int)BitConverter.ToInt64(s_packaged, 0x28), refused = 0;
        for (int round = 0; round < 300; round++)
        {
            byte[] corrupt = [.. s_packaged];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                int at = random.Next(2) == 0 ? random.Next(64) : random.Next(sectionHeaders, sectionHeaders + 9 * 64);
                corrupt[at] = (byte)random.Next(256);
            }
            byte[] before = [.. corrupt];
            try
            {
                PatchTorchSharp.Patch(corrupt);
            }
            catch (InvalidDataException)
            {
                refused++;
                Assert.Equal(before, corrupt);
            }
        }
        Assert.NotEqual(0, refused);
    }

    [Fact]
    public void Another_symbol_that_needs_the_version_is_refused()
    {
        byte[] image = [.. s_packaged];
        int anchor = image.AsSpan().IndexOf("_ZSt21ios_base_library_initv\0"u8);
        Assert.NotEqual(-1, anchor);
        image[anchor + 5] ^= 1;
        byte[] before = [.. image];
        Assert.Contains("was expected to", Assert.Throws<InvalidDataException>(() => PatchTorchSharp.Patch(image)).Message);
        Assert.Equal(before, image);
    }

    [Fact]
    public void A_library_that_does_not_need_the_version_stays_as_it_is()
    {
        string libc10 = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libc10.so");
        Assert.SkipUnless(File.Exists(libc10), "no libc10.so: not a Linux build with the cpu backend");
        byte[] image = File.ReadAllBytes(libc10), before = [.. image];
        Assert.False(PatchTorchSharp.Patch(image));
        Assert.Equal(before, image);
    }

    [Fact]
    public void The_task_warns_about_what_it_does_not_understand_and_lets_the_build_go_on()
    {
        using var folder = new TemporaryFolder();
        string library = folder["libLibTorchSharp.so"];
        File.WriteAllText(library, "not a library");
        var engine = new RecordingEngine();
        var task = new PatchTorchSharp { BuildEngine = engine, Mode = "always", Libraries = [new TaskItem(library), new TaskItem(folder["absent.so"])] };

        Assert.True(task.Execute());

        string warning = Assert.Single(engine.Warnings);
        Assert.Contains(library, warning);
        Assert.Contains("GLIBCXX_3.4.32", warning);
        Assert.Equal("not a library", File.ReadAllText(library));
    }

    [Theory]
    [InlineData("always", true)]
    [InlineData("never", false)]
    public void The_mode_overrides_the_look_at_the_machine(string mode, bool patches)
    {
        using var folder = new TemporaryFolder();
        string library = folder["libLibTorchSharp.so"];
        File.WriteAllBytes(library, s_packaged);
        Assert.True(new PatchTorchSharp { BuildEngine = new RecordingEngine(), Mode = mode, Libraries = [new TaskItem(library)] }.Execute());
        Assert.Equal(patches, Differences(s_packaged, File.ReadAllBytes(library)) != 0);
    }

    [Fact]
    public void An_unknown_mode_is_an_error_that_names_the_modes()
    {
        var engine = new RecordingEngine();
        Assert.False(new PatchTorchSharp { BuildEngine = engine, Mode = "sometimes" }.Execute());
        Assert.Contains("'auto', 'always' or 'never'", Assert.Single(engine.Errors));
    }

    private static string Packaged(string name)
    {
        Dictionary<string, string?> metadata = typeof(PatchTorchSharpTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(item => item.Key, item => item.Value);
        return Path.Combine(metadata["PackageFolder"]!, "torchsharp", metadata["TorchSharpVersion"]!, "runtimes", "linux-x64", "native", name);
    }

    private static int Differences(byte[] left, byte[] right) => left.Where((value, index) => value != right[index]).Count();

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string existing, [MarshalAs(UnmanagedType.LPUTF8Str)] string added);

    private sealed class RecordingEngine : IBuildEngine
    {
        public List<string> Errors { get; } = [];

        public List<string> Warnings { get; } = [];

        public bool ContinueOnError => false;

        public int LineNumberOfTaskNode => 0;

        public int ColumnNumberOfTaskNode => 0;

        public string ProjectFileOfTaskNode => "";

        public bool BuildProjectFile(string projectFileName, string[] targetNames, IDictionary globalProperties, IDictionary targetOutputs) => false;

        public void LogCustomEvent(CustomBuildEventArgs e) { }

        public void LogErrorEvent(BuildErrorEventArgs e) => Errors.Add(e.Message ?? "");

        public void LogMessageEvent(BuildMessageEventArgs e) { }

        public void LogWarningEvent(BuildWarningEventArgs e) => Warnings.Add(e.Message ?? "");
    }
}
