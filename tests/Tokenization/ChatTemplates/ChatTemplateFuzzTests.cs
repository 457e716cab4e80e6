using System.Text;
using System.Text.Json.Nodes;
using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>
/// Templates that are cut off, changed at random or put together from pieces: compiling and rendering end, with a text or with the
/// documented exception, within bounded memory. MLCOMPONENTS_FUZZ is the number of trials of each kind, for longer runs.
/// </summary>
public sealed class ChatTemplateFuzzTests
{
    private const long MostBytes = 400_000_000;

    private static readonly int Trials = int.TryParse(Environment.GetEnvironmentVariable("MLCOMPONENTS_FUZZ"), out int trials) ? trials : 300;

    private static readonly ChatTemplateOptions Options = new()
    {
        AddGenerationPrompt = true,
        Tools = [new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = "f", ["parameters"] = new JsonObject { ["type"] = "object" } } }],
        Limits = new ChatTemplateLimits { MaxSteps = 300_000, MaxOutputLength = 200_000, MaxCreated = 3_000_000 },
    };

    private static readonly JsonArray Messages =
    [
        new JsonObject { ["role"] = "user", ["content"] = "Hi \U0001F642" },
        new JsonObject { ["role"] = "assistant", ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = "x" }), ["n"] = 1.5 },
    ];

    private static readonly string[] Pieces =
    [
        "messages", "m", "x", "ns", "loop", "range", "dict", "namespace", "cycler", "1", "-2", "0.5", "99999999999", "'a'", "'%s %d {} {0!r:>3}'", "[1, 'b', none]", "(1, 2)", "{'k': [1]}", "none", "true",
        " + ", " - ", " * ", " / ", " // ", " % ", " ** ", " ~ ", " == ", " < ", " in ", " not in ", " and ", " or ", " not ", " is ", " if ", " else ", "(", ")", "[", "]", "{", "}", ", ", ":", ".", "=", "|",
        ".items()", ".split('a')", ".format(1, x=2)", ".get('k')", "[::-1]", "[1:]", ".join(['a'])", ".__class__", ".append(1)", ".replace('', 'ab')",
        " | tojson", " | tojson(indent=2)", " | list", " | join(',')", " | map(attribute='role')", " | select('odd')", " | sort", " | groupby('role')", " | round(2)", " | int", " | indent(3)", " | wordwrap(2)", " | truncate(5)",
        " | format(1, 2)", " | batch(2)", " | slice(3)", " | sum", " | max", " | length", " | reverse", " | unique", " | dictsort", " | default('d')", " | string", " | safe", " | escape", " | center(9)", " | filesizeformat", " | urlencode", " | striptags",
        "odd", "defined", "string", "mapping", "divisibleby(2)", "sameas(1)",
    ];

    private static readonly string[] Tags =
    [
        "{% if X %}", "{% elif X %}", "{% else %}", "{% endif %}", "{% for m in X %}", "{% for m in X if X recursive %}", "{% endfor %}", "{% set x = X %}", "{% set ns.x = X %}", "{% set x %}", "{% endset %}", "{% macro m(a, b=X) %}", "{% endmacro %}",
        "{% call m(X) %}", "{% endcall %}", "{% filter upper %}", "{% endfilter %}", "{% with x = X %}", "{% endwith %}", "{% generation %}", "{% endgeneration %}", "{% break %}", "{% continue %}", "{% raw %}", "{% endraw %}", "{# c #}", "{{ X }}", "{{ X }}",
        "{{- X -}}", "{% set ns = namespace(x=X) %}", "{{ loop(X) }}", "{{ caller() }}", "{% block b %}", "{% endblock %}", " text\n", "{%- ", " -%}", "{{", "}}", "{%", "%}", "{#", "#}", "\\", "'",
    ];

    [Fact]
    public void Changed_templates_give_a_text_or_the_documented_exception()
    {
        string[] templates = [.. Directory.EnumerateFiles(Path.Combine(TestPaths.Repository, "tests", "Fixtures", "tokenizers", "chat-templates"), "*.jinja").Order(StringComparer.Ordinal).Select(File.ReadAllText)];
        var random = new Random(17);
        for (int trial = 0; trial < 4 * Trials; trial++)
        {
            var text = new StringBuilder(templates[random.Next(templates.Length)]);
            for (int change = random.Next(1, 5); change > 0 && text.Length > 0; change--)
            {
                int at = random.Next(text.Length);
                if (random.Next(3) == 0) text.Remove(at, random.Next(Math.Min(12, text.Length - at) + 1));
                else text.Insert(at, random.Next(2) == 0 ? Pieces[random.Next(Pieces.Length)] : Tags[random.Next(Tags.Length)].Replace("X", Pieces[random.Next(Pieces.Length)]));
            }

            Try(trial, text.ToString());
        }
    }

    [Fact]
    public void Templates_of_random_pieces_give_a_text_or_the_documented_exception()
    {
        var random = new Random(18);
        for (int trial = 0; trial < 10 * Trials; trial++)
        {
            var text = new StringBuilder();
            for (int tag = random.Next(1, 9); tag > 0; tag--)
            {
                string expression = string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => Pieces[random.Next(Pieces.Length)]));
                text.Append(Tags[random.Next(Tags.Length)].Replace("X", expression));
            }

            Try(trial, text.ToString());
        }
    }

    [Fact]
    public void Every_filter_and_method_takes_any_value_or_refuses_it_in_the_documented_way()
    {
        string[] values = ["none", "true", "-7", "2.5", "10 ** 30", "''", "'a b-c \u00DF\U0001F642'", "'<i>' | safe", "[]", "[3, 1, 'x', none]", "(1, [2])", "{}", "{'a': 1, 2: none}", "missing", "range(5)", "range", "messages", "[1, 2] | map('string')", "messages[0].items()", "namespace(a=1)", "self"];
        string[] arguments = ["", "()", "(1)", "('a')", "(none)", "(-1, 'b')", "([1, 2], 3)", "('role', 'eq', 1)", "(missing)", "(x=1)", "(*[1, 2, 3, 4, 5])"];
        string[] names = ["abs", "attr", "batch", "capitalize", "center", "count", "default", "dictsort", "escape", "filesizeformat", "first", "float", "forceescape", "format", "groupby", "indent", "int", "join", "last", "length", "list", "lower", "items", "map", "min", "max", "random", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount", "wordwrap", "xmlattr", "tojson", "pprint", "urlize"];
        string[] methods = ["strip", "split", "rsplit", "splitlines", "startswith", "replace", "find", "rfind", "index", "count", "join", "format", "center", "zfill", "ljust", "partition", "title", "capitalize", "casefold", "isupper", "isdigit", "expandtabs", "removeprefix", "items", "get", "keys", "copy", "append", "pop", "is_integer", "bit_length", "fromkeys", "format_map", "__class__", "cycle"];
        foreach (string value in values)
        {
            foreach (string argument in arguments)
            {
                foreach (string name in names) Try(0, $"{{{{ ({value}) | {name}{argument} }}}}{{{{ (({value}) | {name}{argument}) | list }}}}");
                foreach (string name in methods) Try(0, $"{{{{ ({value}).{name}{argument} }}}}");
            }
        }
    }

    private static void Try(int trial, string template)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Assert.NotNull(ChatTemplate.Compile(template).Render(Messages, Options).Text);
        }
        catch (ChatTemplateException problem)
        {
            Assert.NotEmpty(problem.Reason);
            Assert.True(problem is { Line: > 0, Column: > 0 }, $"no place: {problem.Message} in {template}");
        }
        catch (Exception problem) when (problem is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"trial {trial}: {problem}\nof the template {template}");
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MostBytes, $"trial {trial} allocated {allocated} bytes for {template}");
    }
}
