using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class ZipDirectoryTests
{
    [Theory]
    [InlineData("../secret")]
    [InlineData("archive/../../secret")]
    [InlineData("/etc/secret")]
    [InlineData("archive\\secret")]
    [InlineData("C:secret")]
    public void A_name_that_leads_out_of_the_archive_is_refused(string name) =>
        Assert.Contains($"'{name}' that leads out", Refused<FormatException>(Writer().Add(name, [1]).ToArray()).Message);

    [Fact]
    public void Compressed_and_encrypted_files_are_refused_by_name()
    {
        Assert.Contains("'archive/data.pkl' is compressed", Refused<NotSupportedException>(new ZipWriter().Add("archive/data.pkl", [1, 2, 3], method: 8).ToArray()).Message);
        Assert.Contains("'archive/data.pkl' is compressed or encrypted", Refused<NotSupportedException>(new ZipWriter().Add("archive/data.pkl", [1, 2, 3], flags: 1).ToArray()).Message);
    }

    [Fact]
    public void A_directory_that_lies_is_refused()
    {
        foreach (bool isZip64 in (bool[])[false, true])
        {
            Assert.Contains("twice", Refused<FormatException>(Writer(isZip64).Add("archive/data.pkl", [1]).ToArray()).Message);
            Assert.Contains("not within", Refused<FormatException>(new ZipWriter(isZip64).Add("archive/data.pkl", [1], size: 1_000_000).ToArray()).Message);
            Assert.Contains("not at byte 3", Refused<FormatException>(new ZipWriter(isZip64).Add("archive/data.pkl", new byte[100], begin: 3).ToArray()).Message);
            Assert.Contains("said to be at byte 1000000", Refused<FormatException>(new ZipWriter(isZip64).Add("archive/data.pkl", [1], begin: 1_000_000).ToArray()).Message);
            Assert.Contains("no room", Refused<FormatException>(Writer(isZip64).ToArray(count: 60_000)).Message);
            Assert.Contains("not within", Refused<FormatException>(Writer(isZip64).ToArray(bytes: 1_000_000)).Message);
            Assert.Contains("not within", Refused<FormatException>(Writer(isZip64).ToArray(begin: 1_000_000)).Message);
            Assert.Contains("damaged", Refused<FormatException>(Writer(isZip64).ToArray(begin: 0)).Message);
        }

        Assert.Contains("no room", Refused<FormatException>(Writer(isZip64: true).ToArray(count: long.MaxValue)).Message);
        Assert.Contains("not within", Refused<FormatException>(Writer(isZip64: true).ToArray(bytes: -1)).Message);
        Assert.Contains("not within", Refused<FormatException>(Writer(isZip64: true).ToArray(begin: long.MinValue)).Message);
        Assert.Contains("-5", Refused<FormatException>(new ZipWriter(isZip64: true).Add("archive/data.pkl", [1], begin: -5).ToArray()).Message);
    }

    [Fact]
    public void An_archive_without_the_one_pickle_is_refused()
    {
        Assert.Contains("0 files data.pkl", Refused<FormatException>(new ZipWriter().Add("archive/other", [1]).ToArray()).Message);
        Assert.Contains("0 files data.pkl", Refused<FormatException>(new ZipWriter().Add("archive/sub/data.pkl", [1]).ToArray()).Message);
        Assert.Contains("2 files data.pkl", Refused<FormatException>(Writer().Add("other/data.pkl", [1]).ToArray()).Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_archive_that_is_cut_off_anywhere_is_refused(bool isZip64)
    {
        using var scope = NewDisposeScope();
        byte[] file = new TorchWriter { IsZip64 = isZip64 }.Add("weight", zeros(3)).Archive();

        for (int length = 0; length < file.Length; length++) Refused<FormatException>(file[..length]);
    }

    private static ZipWriter Writer(bool isZip64 = false) => new ZipWriter(isZip64).Add("archive/data.pkl", PickleWriter.Pickle(Array.Empty<(string, object?)>()));

    private static T Refused<T>(byte[] file)
        where T : Exception => Assert.Throws<T>(() => TorchFile.Open(new MemoryContent(file, "test.bin")));
}
