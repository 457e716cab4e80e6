using System.IO.Compression;
using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Pretraining;

/// <summary>The texts that the tiny decoder is made from: this project's own, and public-domain English.</summary>
internal static partial class Corpus
{
    /// <summary>How often a pass reads the project's own texts: they are few, and they are what the model is for.</summary>
    private const int OwnTextRepeats = 4;

    /// <summary>Documents of the project's own corpus: support-desk prose, chats and notes.</summary>
    public static List<string> Own(string folder) =>
        [.. Directory.GetFiles(folder, "*.txt").Order(StringComparer.Ordinal).SelectMany(path => Separator().Split(File.ReadAllText(path))).Select(text => text.Trim()).Where(text => text.Length > 0)];

    /// <summary>
    /// The tickets of examples/TicketRouting as running text without their queues, less the rows that the example tests with:
    /// the same split by the same seed.
    /// </summary>
    public static List<string> Tickets(string path)
    {
        const double testFraction = 0.2;
        const int seed = 1;
        var ml = new MLContext(seed);
        string[] columns = File.ReadLines(path).First().Split('\t');
        IDataView rows = ml.Data.LoadFromTextFile(path, new TextLoader.Options
        {
            HasHeader = true,
            Columns = [.. columns.Select((name, index) => new TextLoader.Column(name, DataKind.String, index))],
        });
        IDataView kept = ml.Data.TrainTestSplit(rows, testFraction, seed: seed).TrainSet;
        return [.. kept.GetColumn<string>("Product").Zip(kept.GetColumn<string>("Channel"), kept.GetColumn<string>("Plan"))
            .Zip(kept.GetColumn<string>("Subject"), kept.GetColumn<string>("Body"))
            .Select(row => $"Product: {row.First.First}\nChannel: {row.First.Second}\nPlan: {row.First.Third}\nSubject: {row.Second}\n\n{row.Third}")];
    }

    /// <summary>Public-domain texts: Shakespeare, the book of Genesis in several languages, American inaugural and state-of-the-union addresses.</summary>
    public static List<string> PublicDomain(string folder)
    {
        var texts = new List<string> { File.ReadAllText(Path.Combine(folder, "tinyshakespeare", "input.txt")) };
        foreach (string archive in new[] { "genesis", "inaugural", "state_union" })
        {
            using ZipArchive zip = ZipFile.OpenRead(Path.Combine(folder, archive + ".zip"));
            foreach (ZipArchiveEntry entry in zip.Entries.Where(e => e.FullName.EndsWith(".txt", StringComparison.Ordinal)).OrderBy(e => e.FullName, StringComparer.Ordinal))
            {
                if (entry.Name is "finnish.txt" or "swedish.txt" or "lolcat.txt") continue; // languages that no ticket has
                using var reader = new StreamReader(entry.Open());
                texts.Add(reader.ReadToEnd().Trim());
            }
        }

        return texts;
    }

    /// <summary>The documents of one pass, in a random order.</summary>
    public static List<string> Pass(IReadOnlyList<string> own, IReadOnlyList<string> publicDomain, Random random)
    {
        string[] documents = [.. Enumerable.Repeat(own, OwnTextRepeats).SelectMany(texts => texts), .. publicDomain];
        random.Shuffle(documents);
        return [.. documents];
    }

    [GeneratedRegex(@"^\*\*\*\s*$", RegexOptions.Multiline)]
    private static partial Regex Separator();
}
