using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class FormatPromptTests
{
    private readonly MLContext _ml = new(seed: 1);

    private sealed class Row
    {
        public string Text { get; set; } = "";
        public float Number { get; set; }
        public int Whole { get; set; }
        public double Wide { get; set; }
        public bool Flag { get; set; }
        public DateTime When { get; set; }
        public DateTimeOffset WhenThere { get; set; }
        public TimeSpan Took { get; set; }
        public string Category { get; set; } = "";

        [KeyType(10)]
        public uint Key { get; set; }

        [VectorType(3)]
        public float[] Vector { get; set; } = [0, 0, 0];

        public string[] Words { get; set; } = [];
    }

    private sealed class Prompted
    {
        public string Prompt { get; set; } = "";
    }

    private static Row[] Rows =>
    [
        new()
        {
            Text = "hello {you}", Number = 1234.5f, Whole = -7, Wide = 0.1, Flag = true, When = new DateTime(2026, 3, 4, 5, 6, 7), Category = "red",
            WhenThere = new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.FromHours(2)), Took = new TimeSpan(1, 2, 3), Key = 3, Vector = [1, float.NaN, 2.5f], Words = ["a", "", "b"],
        },
        new() { Text = "", Number = float.NaN, Wide = double.NaN, Key = 10, Vector = [float.NaN, float.NaN, float.NaN], Category = "blue" },
    ];

    private IDataView Data => _ml.Transforms.Conversion.MapValueToKey("CategoryKey", "Category").Fit(_ml.Data.LoadFromEnumerable(Rows)).Transform(_ml.Data.LoadFromEnumerable(Rows));

    private string[] Prompts(string template, FormatPromptOptions? options = null) =>
        [.. _ml.Transforms.Text.FormatPrompt("Prompt", template, options).Fit(Data).Transform(Data).GetColumn<string>("Prompt")];

    [Theory]
    [InlineData("{Text}", "hello {you}", "-")]
    [InlineData("{Number}", "1234.5", "-")]
    [InlineData("{Number:N2}", "1,234.50", "-")]
    [InlineData("{Whole}", "-7", "0")]
    [InlineData("{Wide:P0}", "10 %", "-")]
    [InlineData("{Flag}", "true", "false")]
    [InlineData("{Flag:yes;no}", "yes", "no")]
    [InlineData("{When}", "2026-03-04 05:06:07", "0001-01-01 00:00:00")]
    [InlineData("{When:yyyy/MM/dd}", "2026/03/04", "0001/01/01")]
    [InlineData("{WhenThere}", "2026-03-04 05:06:07 +02:00", "0001-01-01 00:00:00 +00:00")]
    [InlineData("{Took}", "01:02:03", "00:00:00")]
    [InlineData("{Took:h\\:mm}", "1:02", "0:00")]
    [InlineData("{Key}", "3", "-")]
    [InlineData("{CategoryKey}", "red", "blue")]
    [InlineData("{Vector}", "1, 2.5", "-")]
    [InlineData("{Vector:F1}", "1.0, 2.5", "-")]
    [InlineData("{Words}", "a, b", "-")]
    public void Values_of_every_type_are_written(string template, string first, string second) =>
        Assert.Equal([first, second], Prompts(template, new() { MissingValue = "-" }));

    [Theory]
    [InlineData("Answer.\n\nText: {Text}", false, "Answer.\n\nText: ")]
    [InlineData("Answer.\n\nText: {Text}", true, "Answer.")]
    [InlineData("{{a}} {Text} b {Number}", false, "{a} ")]
    [InlineData("{Text}\nb", false, "")]
    [InlineData("no value", true, "no value")]
    public void A_column_says_what_its_prompts_begin_with(string template, bool dropsLines, string expected)
    {
        FormatPromptTransformer transformer = _ml.Transforms.Text.FormatPrompt("Prompt", template, new FormatPromptOptions { DropLinesWithoutValues = dropsLines }).Fit(Data);
        IDataView prompts = transformer.Transform(Data);
        Assert.Equal(expected, PromptBeginning.Of(prompts.Schema["Prompt"]));
        Assert.All(prompts.GetColumn<string>("Prompt"), prompt => Assert.StartsWith(expected, prompt));
        IDataView copied = _ml.Transforms.CopyColumns("Copy", "Prompt").Fit(prompts).Transform(prompts), changed = _ml.Transforms.Text.NormalizeText("Prompt").Fit(prompts).Transform(prompts);
        Assert.Equal(expected, PromptBeginning.Of(copied.Schema["Copy"]));
        Assert.Equal("", PromptBeginning.Of(changed.Schema["Prompt"]));
    }

    [Fact]
    public void A_culture_may_be_chosen()
    {
        string[] prompts = Prompts("{Number:N2} {When:MMMM}", new() { Culture = CultureInfo.GetCultureInfo("de-DE") });
        Assert.Equal("1.234,50 März", prompts[0]);
    }

    [Fact]
    public void Keys_of_numbers_are_written_as_their_values_with_their_format()
    {
        IDataView data = _ml.Transforms.Conversion.MapValueToKey("NumberKey", "Number").Fit(Data).Transform(Data);
        Assert.Equal(["1234.50", ""], _ml.Transforms.Text.FormatPrompt("Prompt", "{NumberKey:F2}").Fit(data).Transform(data).GetColumn<string>("Prompt"));
    }

    [Fact]
    public void It_is_a_good_estimator()
    {
        IDataView noText = _ml.Transforms.DropColumns("Text").Fit(Data).Transform(Data);
        IDataView wrongType = _ml.Transforms.CopyColumns("Number", "Words").Fit(Data).Transform(Data);
        var options = new FormatPromptOptions { MaxCharacters = 60, ColumnLimits = { ["Text"] = 8 }, CutFirst = { "Words" }, Culture = CultureInfo.GetCultureInfo("fr-FR"), DropLinesWithoutValues = true };
        EstimatorContract.Check(_ml, _ml.Transforms.Text.FormatPrompt("Prompt", "Given:\n{Text}\n{Number:F1}\n{CategoryKey} {Vector} {Words} {When}", options), Data, noText, wrongType);
    }

    [Fact]
    public void An_unknown_column_is_refused_with_the_columns_there_are()
    {
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(() => Prompts("{Txet}"));
        Assert.Contains("'Txet'", error.Message);
        Assert.Contains("'Text'", error.Message);
    }

    [Theory]
    [InlineData("{Number:Q9}", "Number")]
    [InlineData("{Text:F2}", "takes no format")]
    [InlineData("{Flag:yes}", "yes;no")]
    public void A_format_that_does_not_fit_is_refused_before_any_row(string template, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentOutOfRangeException>(() => Prompts(template)).Message);

    [Fact]
    public void Options_must_fit_the_template()
    {
        Assert.Contains("'Nope'", Assert.Throws<ArgumentException>(() => Prompts("{Text}", new() { ColumnLimits = { ["Nope"] = 3 } })).Message);
        Assert.Contains("'Nope'", Assert.Throws<ArgumentException>(() => Prompts("{Text}", new() { CutFirst = { "Nope" } })).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompts("{Text}", new() { ColumnLimits = { ["Text"] = -1 } }));
        Assert.Contains("11", Assert.Throws<ArgumentOutOfRangeException>(() => Prompts("Instruction{Text}", new() { MaxCharacters = 10 })).Message);
    }

    [Fact]
    public void Cut_values_are_counted_in_the_log()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        Prompts("{Text} {Words}", new() { ColumnLimits = { ["Text"] = 4 } });
        Assert.Contains(messages, message => message.Contains("1 values in 1 prompts of column 'Prompt' were cut"));
    }

    [Fact]
    public void A_prediction_engine_writes_prompts()
    {
        ITransformer transformer = _ml.Transforms.Text.FormatPrompt("Prompt", "{Text}! {Whole:D3}").Fit(Data);
        using PredictionEngine<Row, Prompted> engine = _ml.Model.CreatePredictionEngine<Row, Prompted>(transformer);
        Assert.Equal("x! 042", engine.Predict(new Row { Text = "x", Whole = 42 }).Prompt);
        Assert.Equal("y! 007", engine.Predict(new Row { Text = "y", Whole = 7 }).Prompt);
    }

    [Fact]
    public void A_prediction_engine_says_when_it_cuts()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        ITransformer transformer = _ml.Transforms.Text.FormatPrompt("Prompt", "{Text}", new() { ColumnLimits = { ["Text"] = 2 } }).Fit(Data);
        PredictionEngine<Row, Prompted> engine = _ml.Model.CreatePredictionEngine<Row, Prompted>(transformer);
        engine.Predict(new Row { Text = "ab" });
        Assert.DoesNotContain(messages, message => message.Contains("were cut"));
        Assert.Equal("a…", engine.Predict(new Row { Text = "abc" }).Prompt);
        Assert.Single(messages, message => message.Contains("1 values in 1 prompts"));
    }

    [Fact]
    public void The_output_may_take_the_name_of_an_input()
    {
        IDataView output = _ml.Transforms.Text.FormatPrompt("Text", "<{Text}>").Fit(Data).Transform(Data);
        Assert.Equal(["<hello {you}>", "<>"], output.GetColumn<string>("Text"));
    }

    [Fact]
    public void Parallel_cursors_together_give_every_prompt()
    {
        var many = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 1000).Select(i => new Row { Text = $"t{i}" }).ToArray());
        IDataView prompts = _ml.Transforms.Text.FormatPrompt("Prompt", "{Text}.").Fit(many).Transform(many);
        var found = new List<string>();
        foreach (DataViewRowCursor cursor in prompts.GetRowCursorSet([prompts.Schema["Prompt"]], 2))
            using (cursor)
            {
                ValueGetter<ReadOnlyMemory<char>> getter = cursor.GetGetter<ReadOnlyMemory<char>>(prompts.Schema["Prompt"]);
                ReadOnlyMemory<char> value = default;
                while (cursor.MoveNext())
                {
                    getter(ref value);
                    found.Add(value.ToString());
                }
            }
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"t{i}.").Order(), found.Order());
    }
}
