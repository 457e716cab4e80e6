using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class PromptTemplateTests
{
    [Theory]
    [InlineData("{A}", "A", null)]
    [InlineData("{ Product Name }", "Product Name", null)]
    [InlineData("{A:F2}", "A", "F2")]
    [InlineData("{A:HH:mm}", "A", "HH:mm")]
    [InlineData("{A:{{0}}}", "A", "{0}")]
    [InlineData("{'odd: {name}'}", "odd: {name}", null)]
    [InlineData("{\"it's \"\"quoted\"\"\"}", "it's \"quoted\"", null)]
    [InlineData("{' padded ':D}", " padded ", "D")]
    public void A_placeholder_has_a_column_and_maybe_a_format(string template, string column, string? format)
    {
        PromptPlaceholder placeholder = Assert.Single(PromptTemplate.Parse(template).Placeholders);
        Assert.Equal((column, format), (placeholder.Column, placeholder.Format));
    }

    [Fact]
    public void Doubled_braces_are_braces()
    {
        PromptTemplate template = PromptTemplate.Parse("{{\"a\": {A}}}");
        Assert.Equal("{\"a\": 1}", new PromptRenderer(template, new()).Render(["1"], out _));
    }

    [Theory]
    [InlineData("abc {A", 4)]
    [InlineData("abc } d", 4)]
    [InlineData("{}", 0)]
    [InlineData("x{ }", 1)]
    [InlineData("{A{B}}", 2)]
    [InlineData("{'A}", 1)]
    [InlineData("{'A' B}", 5)]
    [InlineData("{A:}", 0)]
    [InlineData("{A:F2", 0)]
    public void A_malformed_template_is_refused_with_its_position(string template, int position)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => PromptTemplate.Parse(template));
        Assert.Contains($"position {position}:", error.Message);
    }

    [Fact]
    public void Missing_values_are_written_as_asked()
    {
        PromptTemplate template = PromptTemplate.Parse("A={A} B={B}");
        Assert.Equal("A= B=2", new PromptRenderer(template, new()).Render([null, "2"], out _));
        Assert.Equal("A=n/a B=2", new PromptRenderer(template, new() { MissingValue = "n/a" }).Render([null, "2"], out _));
    }

    [Fact]
    public void Lines_whose_placeholders_are_all_missing_are_dropped_on_request()
    {
        PromptTemplate template = PromptTemplate.Parse("Ticket\nFrom: {A} {B}\nTo: {C}\n\nBody: {D}");
        var renderer = new PromptRenderer(template, new() { DropLinesWithoutValues = true });
        Assert.Equal("Ticket\n\nBody: x", renderer.Render([null, null, null, "x"], out _));
        Assert.Equal("Ticket\nFrom:  b\nTo: c\n\nBody: x", renderer.Render([null, "b", "c", "x"], out _));
        Assert.Equal("Ticket\nTo: c\n", renderer.Render([null, null, "c", null], out _));
    }

    [Fact]
    public void The_last_line_may_be_dropped_with_the_break_before_it()
    {
        var options = new FormatPromptOptions { DropLinesWithoutValues = true };
        Assert.Equal("Q", new PromptRenderer(PromptTemplate.Parse("Q\r\n{A}"), options).Render([null], out _));
        Assert.Equal("Q\n", new PromptRenderer(PromptTemplate.Parse("Q\n{A}\n"), options).Render([null], out _));
        Assert.Equal("", new PromptRenderer(PromptTemplate.Parse("{A}"), options).Render([null], out _));
    }

    [Fact]
    public void A_column_limit_cuts_the_value_and_marks_it()
    {
        var options = new FormatPromptOptions { ColumnLimits = { ["A"] = 5 } };
        string prompt = new PromptRenderer(PromptTemplate.Parse("[{A}] {B}"), options).Render(["abcdefgh", "abcdefgh"], out int cut);
        Assert.Equal("[abcd…] abcdefgh", prompt);
        Assert.Equal(1, cut);
    }

    [Fact]
    public void The_budget_cuts_columns_in_the_stated_order_and_never_the_template()
    {
        PromptTemplate template = PromptTemplate.Parse("Instructions. {A}|{B}|{C}");
        string[] values = ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"];
        string Render(int most, params string[] first)
        {
            var options = new FormatPromptOptions { MaxCharacters = most };
            foreach (string column in first) options.CutFirst.Add(column);
            return new PromptRenderer(template, options).Render(values, out _);
        }

        Assert.Equal("Instructions. aaaaaaaaaa|bbbbbbbbbb|cccccccccc", Render(46));
        Assert.Equal("Instructions. aaaaaaaaaa|bbbbbbbbbb|cccc…", Render(41));
        Assert.Equal("Instructions. aaaaaaaaaa|bbbb…|", Render(31));
        Assert.Equal("Instructions. aaaa…|bbbbbbbbbb|cccccccccc", Render(41, "A"));
        Assert.Equal("Instructions. |bbbb…|cccccccccc", Render(31, "A", "B"));
        Assert.Equal("Instructions. ||", Render(16));
    }

    [Fact]
    public void Every_prompt_fits_the_budget_and_keeps_the_template()
    {
        var random = new Random(7);
        PromptTemplate template = PromptTemplate.Parse("Head {A} mid {B} tail {A}");
        for (int round = 0; round < 300; round++)
        {
            int most = random.Next(template.LiteralCharacters, 60);
            string Value() => string.Concat(Enumerable.Range(0, random.Next(0, 20)).Select(_ => new[] { "x", "é", "e\u0301", "👍🏽", " ", "👨‍👩‍👧" }[random.Next(6)]));
            string prompt = new PromptRenderer(template, new() { MaxCharacters = most }).Render([Value(), Value(), Value()], out _);
            Assert.True(prompt.Length <= most);
            Assert.StartsWith("Head ", prompt);
            Assert.Contains(" mid ", prompt);
            Assert.Contains(" tail ", prompt);
            Assert.Equal(prompt, new string(prompt.EnumerateRunes().SelectMany(rune => rune.ToString()).ToArray()));
        }
    }

    [Theory]
    [InlineData("👍🏽👍🏽", 6, "👍🏽…")]
    [InlineData("ae\u0301b", 3, "a…")]
    [InlineData("a\r\nbc", 3, "a…")]
    [InlineData("abc", 1, "a")]
    [InlineData("👍🏽", 1, "")]
    [InlineData("abc", 0, "")]
    public void A_cut_splits_no_grapheme(string value, int limit, string expected)
    {
        var options = new FormatPromptOptions { ColumnLimits = { ["A"] = limit } };
        Assert.Equal(expected, new PromptRenderer(PromptTemplate.Parse("{A}"), options).Render([value], out int cut));
        Assert.Equal(1, cut);
    }
}
