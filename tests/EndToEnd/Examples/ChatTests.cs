namespace MLComponents.EndToEnd.Tests;

/// <summary>The example as a user runs it: the built program, in a process of its own.</summary>
public class ChatTests
{
    [Fact]
    public async Task The_example_replies_begins_anew_and_ends()
    {
        using var folder = new TemporaryFolder();
        string model = ChatFolder.Create(folder["tiny"]);
        string[] arguments = [Program, model, "--system", "Brief.", "--temperature", "1", "--seed", "3", "--max-tokens", "12"];

        string[] replies = Replies(await Run(folder.Path, arguments, "Hello\nAnd you?\n\n/reset\nHello\n/exit\nnever read\n"));
        Assert.Equal(4, replies.Length);
        Assert.NotEmpty(replies[0]);
        Assert.NotEqual(replies[0], replies[1]);
        Assert.Equal("A new conversation.", replies[2]);
        Assert.Equal(replies[0], replies[3]);

        string[] longOne = Replies(await Run(folder.Path, arguments, $"{string.Join(' ', Enumerable.Range(0, 150))}\nHello\n"));
        Assert.Contains("no room for a reply", longOne[0]);
        Assert.Equal(replies[0], longOne[1]);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_named()
    {
        using var folder = new TemporaryFolder();
        (int exitCode, string output) = await DotnetCommand.RunToExit(folder.Path, [Program, folder["nowhere"]]);
        Assert.Equal(1, exitCode);
        Assert.Contains(folder["nowhere"], output);
        Assert.DoesNotContain("   at ", output);
    }

    private static string Program => ExamplePrograms.Find("Chat");

    private static async Task<string> Run(string folder, string[] arguments, string input)
    {
        (int exitCode, string output) = await DotnetCommand.RunToExit(folder, arguments, input: input);
        Assert.True(exitCode == 0, output);
        return output;
    }

    /// <summary>What was written behind each prompt.</summary>
    private static string[] Replies(string output) =>
        [.. output.Split("> ")[1..].Select(reply => reply.Trim()).Where(reply => reply.Length > 0)];
}
