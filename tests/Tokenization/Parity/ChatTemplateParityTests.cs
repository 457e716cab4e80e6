using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

/// <summary>Rendered conversations, errors and assistant masks against those of transformers, for every template that is found.</summary>
public sealed class ChatTemplateParityTests
{
    // What the files call kinds of errors; "other" is a Python exception of any kind.
    private static readonly Dictionary<string, ChatTemplateErrorKind> Kinds = new()
    {
        ["syntax"] = ChatTemplateErrorKind.Syntax, ["assertion"] = ChatTemplateErrorKind.Assertion, ["raise_exception"] = ChatTemplateErrorKind.Raised,
        ["undefined"] = ChatTemplateErrorKind.Undefined, ["security"] = ChatTemplateErrorKind.Security, ["runtime"] = ChatTemplateErrorKind.Runtime,
        ["other"] = ChatTemplateErrorKind.Value,
    };

    public static IEnumerable<TheoryDataRow<string>> Templates() =>
        from root in GoldenSet.Roots
        let folder = Path.Combine(root.Root, "chat-templates")
        where Directory.Exists(folder)
        from file in Directory.EnumerateFiles(folder, "*.cases.json").Order(StringComparer.Ordinal)
        select new TheoryDataRow<string>(file) { TestDisplayName = $"{Path.GetFileName(file).Split('.')[0]}: chat template, {root.Name}" };

    public static IEnumerable<TheoryDataRow<string, string, string>> Masks() =>
        from root in GoldenSet.Roots
        let file = Path.Combine(root.Root, "chat-templates", "assistant-masks.jsonl")
        where File.Exists(file)
        from name in GoldenSet.Lines(file).Select(line => line.GetProperty("tokenizer").GetString()!).Distinct()
        select new TheoryDataRow<string, string, string>(root.Root, file, name) { TestDisplayName = $"{name}: assistant masks, {root.Name}" };

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Templates))]
    public void Conversations_are_rendered_as_by_transformers(string file)
    {
        string source = File.ReadAllText(file.Replace(".cases.json", ".jinja"));
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(file));
        var differences = new List<string>();
        int count = 0;
        foreach (JsonElement test in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            count++;
            if (Difference(source, test, document.RootElement.GetProperty("now").GetString()!) is { } difference)
                differences.Add($"{test.GetProperty("name").GetString()}: {difference}");
        }

        Assert.True(count > 0, "no cases");
        Assert.True(differences.Count == 0, $"{differences.Count} of {count} cases differ:\n{string.Join("\n\n", differences.Take(4))}");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Masks))]
    public void Assistant_masks_equal_those_of_transformers(string root, string file, string name)
    {
        string folder = Path.GetDirectoryName(GoldenSet.Find(root, name) ?? "")!;
        Assert.SkipWhen(folder.Length == 0, $"there is no tokenizer {name} in {root}");
        int count = 0;
        foreach (JsonElement line in GoldenSet.Lines(file).Where(line => line.GetProperty("tokenizer").GetString() == name))
        {
            var files = new Dictionary<string, byte[]>(PretrainedTokenizer.Load(folder).Files)
            {
                ["chat_template.jinja"] = File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(file)!, line.GetProperty("template").GetString()!)),
            };
            var options = new ChatTemplateOptions { AddGenerationPrompt = line.GetProperty("add_generation_prompt").GetBoolean(), Variables = Variables(line.GetProperty("kwargs")) };
            EncodedChat chat = PretrainedTokenizer.Load(files).EncodeChat(Array(line, "messages")!, options);
            Assert.Equal(line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), chat.Ids);
            Assert.Equal(line.GetProperty("assistant_masks").EnumerateArray().Select(mask => mask.GetInt32() == 1), chat.AssistantMask);
            count++;
        }

        Assert.True(count > 0);
    }

    private static string? Difference(string source, JsonElement test, string now)
    {
        test.TryGetProperty("error", out JsonElement error);
        bool fails = error.ValueKind == JsonValueKind.Object;
        string kind = fails ? error.GetProperty("kind").GetString()! : "";
        try
        {
            RenderedChat chat = Render(source, test, now);
            if (fails) return $"expected an error of the kind {kind}: {error.GetProperty("message")}\nactual   {JsonSerializer.Serialize(chat.Text)}";
            string expected = test.GetProperty("expected").GetString()!;
            if (expected != chat.Text) return Beside(expected, chat.Text);
            if (!test.TryGetProperty("generation_texts", out JsonElement texts)) return null;
            string given = JsonSerializer.Serialize(texts.EnumerateArray().Select(text => text.GetString())), found = JsonSerializer.Serialize(chat.Generations.Select(range => chat.Text[range]));
            return given == found ? null : $"\nexpected generations {given}\nactual   {found}";
        }
        catch (ChatTemplateException problem)
        {
            if (!fails || !Kinds.TryGetValue(kind, out ChatTemplateErrorKind expected)) return $"unexpected {problem.Kind}: {problem.Message}";
            if (problem.Kind != expected) return $"expected {kind} ({error.GetProperty("message")}), but was {problem.Kind}: {problem.Message}";
            string message = error.GetProperty("message").GetString()!;
            if (kind is "raise_exception" or "undefined" or "security" && problem.Reason != message) return $"\nexpected {message}\nactual   {problem.Reason}";
            return problem is { Line: > 0, Column: > 0 } ? null : "the error has no place";
        }
        catch (ArgumentException problem)
        {
            // What transformers refuses before a template runs.
            return fails && kind == "other" && error.GetProperty("line").ValueKind == JsonValueKind.Null ? null : $"unexpected {problem}";
        }
    }

    // The surroundings of the first difference.
    private static string Beside(string expected, string actual)
    {
        int at = Math.Max(0, expected.AsSpan().CommonPrefixLength(actual) - 40);
        return $"from character {at} on\nexpected {JsonSerializer.Serialize(expected[at..Math.Min(expected.Length, at + 120)])}\nactual   {JsonSerializer.Serialize(actual[Math.Min(actual.Length, at)..Math.Min(actual.Length, at + 120)])}";
    }

    private static RenderedChat Render(string source, JsonElement test, string now)
    {
        ChatTemplate template = ChatTemplate.Compile(source);
        var options = new ChatTemplateOptions
        {
            AddGenerationPrompt = test.GetProperty("add_generation_prompt").GetBoolean(),
            ContinueFinalMessage = test.GetProperty("continue_final_message").GetBoolean(),
            Tools = Array(test, "tools"),
            Documents = Array(test, "documents"),
            Variables = Variables(test.GetProperty("kwargs")),
            TimeProvider = new FixedClock(DateTime.Parse(now, CultureInfo.InvariantCulture)),
        };
        JsonArray messages = Array(test, "messages")!;
        KeyValuePair<string, string>[] tokens = [.. test.GetProperty("special_tokens").EnumerateObject().Select(token => KeyValuePair.Create(token.Name, token.Value.GetString()!))];
        return test.GetProperty("via").GetString() == "apply_chat_template"
            ? PretrainedTokenizer.Render(template, messages, options, tokens)
            : template.Render(messages, options, tokens);
    }

    private static JsonArray? Array(JsonElement test, string name) => test.TryGetProperty(name, out JsonElement array) && array.ValueKind == JsonValueKind.Array ? JsonArray.Create(array) : null;

    private static Dictionary<string, JsonNode?> Variables(JsonElement kwargs) => kwargs.EnumerateObject().ToDictionary(variable => variable.Name, variable => JsonNode.Parse(variable.Value.GetRawText()));
}
