using System.Diagnostics;
using System.Text.Json.Nodes;
using MLComponents.Tokenization;

namespace MLComponents.Benchmarks;

/// <summary>Compiling chat templates and rendering conversations with them.</summary>
internal static class ChatTemplateSpeed
{
    public static void Run(string[] templates, int messages, int rounds)
    {
        var chat = new JsonArray();
        for (int index = 0; index < messages; index++)
        {
            chat.Add((JsonNode)new JsonObject
            {
                ["role"] = index % 2 == 0 ? "user" : "assistant",
                ["content"] = $"Message {index}: " + string.Concat(Enumerable.Repeat("some words of a conversation, ", 10)),
            });
        }

        Console.WriteLine($"{Machine.Describe()}; medians of {rounds} rounds, processor time of one thread; conversations of {messages} messages");
        Console.WriteLine("| template | characters | compiled in, us | rendered in, us | characters of text | MB allocated |");
        Console.WriteLine("|-|-|-|-|-|-|");
        foreach (string path in templates)
        {
            string text = File.ReadAllText(path);
            ChatTemplate template = ChatTemplate.Compile(text);
            var options = new ChatTemplateOptions { AddGenerationPrompt = true, Variables = new Dictionary<string, JsonNode?> { ["bos_token"] = "<s>", ["eos_token"] = "</s>" } };
            int length = template.Render(chat, options).Text.Length;
            double compile = Median(rounds, () => ChatTemplate.Compile(text)), render = Median(rounds, () => template.Render(chat, options));
            long before = GC.GetAllocatedBytesForCurrentThread();
            template.Render(chat, options);
            double allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / 1e6;
            Console.WriteLine($"| {Path.GetFileNameWithoutExtension(path)} | {text.Length} | {compile:F0} | {render:F0} | {length} | {allocated:F2} |");
        }
    }

    // Microseconds of a run, of which a round has as many as take about 30 ms.
    private static double Median(int rounds, Action action)
    {
        var clock = Stopwatch.StartNew();
        int runs = 0;
        for (; clock.ElapsedMilliseconds < 1500; runs++) action(); // compiled by then
        runs = Math.Max(1, runs / 50);
        using var process = Process.GetCurrentProcess();
        double[] times = [.. Enumerable.Range(0, rounds).Select(_ =>
        {
            process.Refresh();
            TimeSpan before = process.UserProcessorTime;
            for (int run = 0; run < runs; run++) action();
            process.Refresh();
            return (process.UserProcessorTime - before).TotalMicroseconds / runs;
        }).Order()];
        return times[rounds / 2];
    }
}
