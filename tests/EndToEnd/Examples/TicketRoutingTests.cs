using System.Text.RegularExpressions;

namespace MLComponents.EndToEnd.Tests;

/// <summary>The example as a user runs it: the built program, in a process of its own.</summary>
public class TicketRoutingTests
{
    [Fact]
    public async Task The_example_trains_compares_saves_and_loads_on_a_table_and_a_model_of_the_user()
    {
        using var folder = new TemporaryFolder();
        Ticket[] rows = Ticket.Rows(120);
        string table = folder["requests.tsv"], saved = folder["router.zip"], model = TinyFolder.Create(folder["my-decoder"], rows.Select(row => row.Body));
        File.WriteAllLines(table, ["Product\tBody\tTeam", .. rows.Select(row => $"{row.Product}\t{row.Body}\t{row.Queue}")]);

        string output = await Run(folder.Path, "--data", table, "--label", "Team", "--model", model, "--epochs", "1", "--output", saved);

        Assert.Contains("requests.tsv: 120 rows, columns Product, Body, Team", output);
        Assert.Contains("Billing 40, Delivery 40, Repair 40", output);
        Assert.Contains("Fine-tuning my-decoder in bfloat16", output);
        Assert.Contains("epoch 1/1", output);
        foreach (string name in (string[])["TF-IDF +", "Fine-tuned decoder"])
            Assert.Matches($@"{Regex.Escape(name)}\D+\d+\.\d\s?%", output);
        Assert.Contains("Confusion table", output);
        Assert.Contains("PREDICTED", output);
        Assert.Contains("Some predictions", output);
        Assert.Contains("scores are identical", output);
        Assert.True(new FileInfo(saved).Length > 0);
    }

    [Fact]
    public async Task Awkward_columns_and_a_template_of_one_line_are_taken_as_they_are()
    {
        using var folder = new TemporaryFolder();
        Ticket[] rows = Ticket.Rows(60);
        string table = folder["odd.tsv"], model = TinyFolder.Create(folder["my-decoder"], rows.Select(row => row.Body));
        File.WriteAllLines(table, ["what: {it} is\tBody\tLabel", .. rows.Select(row => $"{row.Product}\t{row.Body}\t{row.Queue}")]);
        string[] common = ["--data", table, "--label", "Label", "--model", model, "--epochs", "1", "--output", folder["odd.zip"]];

        Assert.Contains("scores are identical", await Run(folder.Path, common));
        Assert.Contains("scores are identical", await Run(folder.Path, [.. common, "--template", "Text: {Body}"]));
    }

    [Fact]
    public async Task A_label_that_is_no_column_is_named_with_the_columns_there_are()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder["t.tsv"], ["Body\tTeam", "a\tb"]);
        (int exitCode, string output) = await DotnetCommand.RunToExit(folder.Path, [Program, "--data", folder["t.tsv"], "--label", "Queue"]);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("no column 'Queue'", output);
        Assert.Contains("Body, Team", output);
    }

    [Fact]
    public async Task A_table_that_is_not_there_is_named()
    {
        using var folder = new TemporaryFolder();
        string table = folder["nowhere.tsv"];
        (int exitCode, string output) = await DotnetCommand.RunToExit(folder.Path, [Program, "--data", table]);
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"There is no table at {table}", output);
    }

    private static string Program => ExamplePrograms.Find("TicketRouting");

    /// <summary>What it prints, without the line breaks and the runs of spaces that depend on the width of a terminal.</summary>
    private static async Task<string> Run(string folder, params string[] arguments) =>
        Regex.Replace(await DotnetCommand.Run(folder, [Program, .. arguments]), @"\s+", " ");
}
