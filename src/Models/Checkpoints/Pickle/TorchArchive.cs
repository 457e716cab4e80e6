using System.Globalization;
using System.Text;

namespace MLComponents.Models;

/// <summary>The form of <c>torch.save</c> since PyTorch 1.6: a zip archive with one folder, in which <c>data.pkl</c> describes tensors and <c>data/KEY</c> are their storages.</summary>
internal static class TorchArchive
{
    private const string PickleName = "/data.pkl";
    private const int LatestVersion = 10;

    /// <summary>Finds the tensors of an archive.</summary>
    /// <exception cref="FormatException">The archive is damaged, or holds something else than tensors by name.</exception>
    /// <exception cref="NotSupportedException">It names classes or functions that weights do not need, or is in a form that is not read.</exception>
    public static IReadOnlyList<StoredTensor> Read(Content content)
    {
        var archive = new ZipDirectory(content);
        string[] pickles = [.. archive.Names.Where(name => name.EndsWith(PickleName, StringComparison.Ordinal) && name.IndexOf('/') == name.Length - PickleName.Length)];
        if (pickles.Length != 1) throw new FormatException($"{content.Name}: a zip archive with {pickles.Length} files data.pkl in its folder; expected the one that torch.save writes.");
        string root = pickles[0][..^PickleName.Length];
        if (Text("byteorder") is { } order and not "little") throw new NotSupportedException($"{content.Name}: the weights are in byte order '{order}'; only 'little' is read.");
        if (Text("version") is { } version && !(int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 1 and <= LatestVersion))
            throw new NotSupportedException($"{content.Name}: has version '{version}' of PyTorch's file format; versions 1 to {LatestVersion} are read.");

        (long begin, long byteCount) = archive.Find(pickles[0]);
        var storages = new Dictionary<string, TorchStorage>();
        object? state = Unpickler.Read(new PickleReader(content, begin, begin + byteCount), storages);
        var begins = new Dictionary<TorchStorage, long>();
        foreach (TorchStorage storage in storages.Values)
        {
            string name = $"{root}/data/{storage.Key}";
            (begins[storage], long stored) = archive.Find(name);
            if (stored != storage.ByteCount) throw new FormatException($"{content.Name}: '{name}' has {stored} bytes; expected {storage.Count} elements of {storage.ElementSize} bytes.");
        }

        return TorchStateDictionary.Place(state, content, storage => begins[storage]);

        string? Text(string file)
        {
            if (!archive.Contains($"{root}/{file}")) return null;
            (long start, long bytes) = archive.Find($"{root}/{file}");
            return Encoding.Latin1.GetString(content.Read(start, (int)Math.Min(bytes, 16))).Trim();
        }
    }
}
