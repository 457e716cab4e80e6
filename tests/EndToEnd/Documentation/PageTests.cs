using System.Text.Json;
using System.Text.RegularExpressions;
using MLComponents.Testing;

namespace MLComponents.EndToEnd.Tests;

public partial class PageTests
{
    [Fact]
    public void Every_link_inside_the_repository_leads_somewhere()
    {
        string[] broken =
        [
            .. from page in Pages.All
               from link in Link().Matches(File.ReadAllText(page)).Select(match => match.Groups["target"].Value)
               where !link.Contains("://", StringComparison.Ordinal) && !Exists(page, link)
               select $"{Path.GetFileName(page)}: {link}",
        ];
        Assert.Empty(broken);
    }

    [Fact]
    public void The_parity_page_names_every_fixture_and_every_forward_case()
    {
        string page = File.ReadAllText(Path.Combine(Pages.Documents, "parity.md")), fixtures = Path.Combine(TestPaths.Repository, "tests", "Fixtures");
        string[] folders =
        [
            .. Directory.GetFiles(fixtures, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) is "forward.json" or "expected.safetensors" or "trajectory.json" or "tokenizer.json")
                .Select(file => Path.GetFileName(Path.GetDirectoryName(file)!)).Distinct(),
        ];
        IEnumerable<string> cases = Directory.GetFiles(fixtures, "forward.json", SearchOption.AllDirectories).SelectMany(ForwardCases);
        Assert.NotEmpty(folders);
        Assert.Empty(folders.Concat(cases).Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)).Distinct());
    }

    [Fact]
    public void The_page_about_adding_a_family_shows_the_file_and_the_line_that_are_there()
    {
        string page = File.ReadAllText(Path.Combine(Pages.Documents, "adding-a-family.md"));
        string families = Path.Combine(TestPaths.Repository, "src", "Models", "Configuration", "Families");
        string file = File.ReadAllText(Path.Combine(families, "Llama.cs"));
        Assert.Contains(file[file.IndexOf("/// <summary>", StringComparison.Ordinal)..], page, StringComparison.Ordinal);
        Assert.Contains(File.ReadLines(Path.Combine(families, "DecoderFamily.cs")).Single(line => line.Contains(" All {", StringComparison.Ordinal)).Trim(), page, StringComparison.Ordinal);
    }

    private static string[] ForwardCases(string file)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. json.RootElement.EnumerateObject().Where(item => item.Value.ValueKind == JsonValueKind.Object).Select(item => item.Name)];
    }

    private static bool Exists(string page, string link)
    {
        string[] parts = link.Split('#');
        string target = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, parts[0]));
        return Path.Exists(target) && (parts.Length == 1 || Headings(target).Contains(parts[1]));
    }

    /// <summary>Headings as the targets of links: lower case, hyphens for spaces, no punctuation.</summary>
    private static IEnumerable<string> Headings(string page) =>
        File.ReadLines(page).Where(line => line.StartsWith('#')).Select(line => NotInTargets().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInTargets();
}
