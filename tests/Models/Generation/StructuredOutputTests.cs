using System.Text.Json;
using System.Text.RegularExpressions;
using Json.Schema;
using MLComponents.Testing;
using MLComponents.Tokenization;

namespace MLComponents.Models.Tests;

public class StructuredOutputTests
{
    private const string Person = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Person", "type": "object", "required": ["name", "age", "tags"], "additionalProperties": false,
          "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 12}, "age": {"type": "integer", "minimum": 0, "maximum": 130}, "email": {"type": "string", "format": "email"},
            "tags": {"type": "array", "items": {"enum": ["new", "\"old\"", 3, null]}, "minItems": 1, "maxItems": 4},
            "address": {"$ref": "#/$defs/address"}, "nickname": {"type": ["string", "null"], "maxLength": 5}
          },
          "$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "number": {"type": "integer"}}, "required": ["street"]}}
        }
        """;

    private static readonly string[] s_schemas =
    [
        Person,
        """{"type": "array", "items": {"type": "number", "minimum": -2.5, "exclusiveMaximum": 40}, "maxItems": 6}""",
        """{"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"const": {"x": [1, "ü"]}}, "c": {"type": "null"}, "d": {"type": "string"}}}""",
        """{"anyOf": [{"type": "string", "pattern": "^[A-Z]{2}-\\d{3}\"?$"}, {"type": "integer", "minimum": -1234, "exclusiveMaximum": -7}, {"type": "array", "items": {"type": "boolean"}, "minItems": 2}]}""",
        """{"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}, "value": {"type": "number"}}, "required": ["kind", "value"]}, {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]}]}""",
        """{"type": "object", "required": ["when", "id"], "properties": {"when": {"type": "string", "format": "date-time"}, "id": {"type": "string", "format": "uuid"}, "ip": {"type": "string", "format": "ipv4"}, "day": {"format": "date"}}}""",
        """{"type": "array", "prefixItems": [{"type": "string", "maxLength": 3}, {"type": "integer"}], "items": false, "minItems": 2}""",
        """{"allOf": [{"type": "string", "minLength": 3, "maxLength": 9}], "description": "A word"}""",
        """{"type": "object", "properties": {"größe": {"type": "integer", "maximum": 9}, "a\"b": {"type": "boolean"}}, "required": ["größe"]}""",
        """{"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"id": {"type": "integer"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2}, "next": {"$ref": "#/$defs/node"}}, "required": ["id", "parts"]}}}""",
        """{"type": "object", "properties": {"op": {"enum": ["+", "*"]}, "left": {"oneOf": [{"type": "integer"}, {"$ref": "#"}]}, "right": {"anyOf": [{"type": "integer"}, {"$ref": "#"}]}}, "required": ["op", "left", "right"]}""",
        """{"type": "object", "properties": {"n": {"type": "integer", "minimum": 95, "maximum": 12345}, "z": {"type": "number", "maximum": 0}}, "required": ["z"]}""",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Tokenizers => ["qwen2-like", "phi3-like", "gemma-like"];

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void All_that_a_model_with_random_weights_writes_is_valid_against_the_schema(string name)
    {
        PretrainedTokenizer tokenizer = Tokenizer(name);
        using CausalLanguageModel model = Model(tokenizer);
        int count = int.TryParse(Environment.GetEnvironmentVariable("MLCOMPONENTS_STRUCTURED"), out int asked) ? asked : 30;
        var options = new EvaluationOptions { RequireFormatValidation = true };
        for (int index = 0; index < s_schemas.Length; index++)
        {
            OutputConstraint constraint = OutputConstraint.JsonSchema(s_schemas[index], tokenizer);
            JsonSchema schema = JsonSchema.FromText(s_schemas[index]);
            GenerationConfig config = new() { DoSample = true, Temperature = 1.5, TopK = 0, MaxNewTokens = 160, EosTokenIds = [], Seed = index };
            var lengths = new HashSet<int>();
            foreach (GeneratedSequence sequence in model.GenerateMany(
                Enumerable.Range(0, count).Select(_ => (IReadOnlyList<int>)[5, 9, 7]), config, batchSize: 32, input: new GenerationInput { Constraint = constraint }, cancellationToken: Cancellation))
            {
                string text = tokenizer.Decode([.. sequence.NewIds], skipSpecialTokens: true);
                using JsonDocument json = JsonDocument.Parse(text);
                EvaluationResults result = schema.Evaluate(json.RootElement, options);
                Assert.True(result.IsValid, $"{text} is not valid against {s_schemas[index]}");
                Assert.True(constraint.IsComplete(sequence.NewIds));
                lengths.Add(sequence.NewIds.Count);
            }

            Assert.True(count == 1 || lengths.Count > 1, $"All texts of schema {index} are alike.");
        }
    }

    [Theory]
    [InlineData(@"[a-z]{3,8}@[a-z]+\.(com|org)")]
    [InlineData(@"(?:\d{1,3}\.){3}\d{1,3}")]
    [InlineData(@"^(yes|no|perhaps not)$")]
    [InlineData(@"[A-Z€]{2}[^\S\t][äöüß€]+")]
    [InlineData(@"[Α-Ω][α-ω]*( [Α-Ω][α-ω]*)?")]
    [InlineData(@"-?\d+(\.\d*)?([eE][+-]\d+)?")]
    [InlineData(@"(ab|a)(c|bcd)?.\w")]
    public void All_that_is_written_matches_the_expression(string pattern)
    {
        PretrainedTokenizer tokenizer = Tokenizer("qwen2-like");
        using CausalLanguageModel model = Model(tokenizer);
        OutputConstraint constraint = OutputConstraint.Regex(pattern, tokenizer);
        foreach (GenerationConfig config in new GenerationConfig[] { new() { DoSample = true, TopK = 0, NumReturnSequences = 40, Seed = 1 }, new(), new() { NumBeams = 4, NumReturnSequences = 4 } })
        {
            using GenerationOutput output = model.Generate(
                new GenerationInput { InputIds = [[5, 9]], Constraint = constraint }, config with { MaxNewTokens = 40, EosTokenIds = [2] }, Cancellation);
            foreach (GeneratedSequence sequence in output.Sequences)
            {
                string text = tokenizer.Decode([.. sequence.NewIds.Where(id => id != 2)], skipSpecialTokens: true);
                Assert.Matches(new Regex($"^(?:{pattern})$", RegexOptions.CultureInvariant), text);
            }
        }
    }

    [Fact]
    public void Every_choice_can_be_written_and_nothing_else()
    {
        PretrainedTokenizer tokenizer = Tokenizer("qwen2-like");
        using CausalLanguageModel model = Model(tokenizer);
        string[] choices = ["refund", "refund request", "Ärger", "other \"thing\""];
        OutputConstraint constraint = OutputConstraint.Choices(choices, tokenizer);

        using GenerationOutput output = model.Generate(
            new GenerationInput { InputIds = [[5]], Constraint = constraint },
            new() { DoSample = true, TopK = 0, Temperature = 3, NumReturnSequences = 300, MaxNewTokens = 20, EosTokenIds = [2], Seed = 1 }, Cancellation);

        Assert.Equal(choices.Order(), output.Sequences.Select(row => tokenizer.Decode([.. row.NewIds.Where(id => id != 2)], true)).Distinct().Order());
        Assert.Contains(FinishReason.Complete, output.Sequences.Select(row => row.FinishReason));
    }

    [Fact]
    public void A_vocabulary_that_cannot_write_what_is_asked_for_is_refused()
    {
        // Its letters are tokens, but it has neither braces nor bytes.
        PretrainedTokenizer tokenizer = Tokenizer("llama-metaspace-always-split");
        Assert.Contains("vocabulary", Assert.Throws<NotSupportedException>(() => OutputConstraint.JsonSchema(Person, tokenizer)).Message);
        using CausalLanguageModel model = Model(tokenizer);
        OutputConstraint constraint = OutputConstraint.Regex("[a-zäéλ漢]{3,9}", tokenizer);
        using GenerationOutput output = model.Generate(new GenerationInput { InputIds = [[5]], Constraint = constraint }, new() { DoSample = true, NumReturnSequences = 20, MaxNewTokens = 12, EosTokenIds = [2] }, Cancellation);
        Assert.All(output.Sequences, row => Assert.Matches("^[a-zäéλ漢]{3,9}$", tokenizer.Decode([.. row.NewIds.Where(id => id != 2)], true)));
    }

    [Fact]
    public void A_text_is_finished_within_its_greatest_length()
    {
        PretrainedTokenizer tokenizer = Tokenizer("qwen2-like");
        using CausalLanguageModel model = Model(tokenizer);
        OutputConstraint constraint = OutputConstraint.JsonSchema(Person, tokenizer);
        for (int length = constraint.MinimumLength; length < constraint.MinimumLength + 12; length++)
        {
            using GenerationOutput output = model.Generate(
                new GenerationInput { InputIds = [[5]], Constraint = constraint }, new() { DoSample = true, NumReturnSequences = 20, MaxNewTokens = length, EosTokenIds = [], Seed = length }, Cancellation);
            Assert.All(output.Sequences, row => Assert.True(constraint.IsComplete(row.NewIds), tokenizer.Decode([.. row.NewIds], true)));
        }
    }

    [Fact]
    public void A_constraint_serves_many_threads()
    {
        PretrainedTokenizer tokenizer = Tokenizer("qwen2-like");
        using CausalLanguageModel model = Model(tokenizer);
        OutputConstraint constraint = OutputConstraint.JsonSchema(Person, tokenizer);
        GenerationConfig config = new() { DoSample = true, MaxNewTokens = 80, EosTokenIds = [] };
        Parallel.For(0, 8, index =>
        {
            using GenerationOutput output = model.Generate(new GenerationInput { InputIds = [[5]], Constraint = constraint }, config with { Seed = index }, Cancellation);
            Assert.True(constraint.IsComplete(output.Sequences[0].NewIds));
        });
    }

    [Theory]
    [InlineData("""{"type": "string", "pattern": "(?=a)b"}""", "look")]
    [InlineData("""{"type": "string", "pattern": "a\\bc"}""", "WordBoundary")]
    [InlineData("""{"type": "object"}""", "properties")]
    [InlineData("""{"type": "array"}""", "items")]
    [InlineData("""{}""", "type")]
    [InlineData("""true""", "everything")]
    [InlineData("""{"type": "array", "items": {"type": "integer"}, "uniqueItems": true}""", "uniqueItems")]
    [InlineData("""{"type": "integer", "multipleOf": 3}""", "multipleOf")]
    [InlineData("""{"type": "string", "format": "hostname"}""", "hostname")]
    [InlineData("""{"type": "string", "contentEncoding": "base64"}""", "contentEncoding")]
    [InlineData("""{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}}}""", "it allows none")]
    [InlineData("""{"$ref": "#"}""", "it allows none")]
    [InlineData("""{"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}, "d": {"$ref": "#"}, "e": {"$ref": "#"}, "f": {"$ref": "#"}, "g": {"$ref": "#"}, "h": {"$ref": "#"}}}""", "inside of each other")]
    [InlineData("""{"type": "object", "properties": {"a": {"not": {"type": "string"}}}}""", "#/properties/a")]
    [InlineData("""{"oneOf": [{"type": "integer"}, {"type": "number"}]}""", "both allow")]
    [InlineData("""{"type": "number", "minimum": 0.1, "maximum": 0.9}""", "no whole number")]
    [InlineData("""{"type": "object", "properties": {}, "required": ["a"]}""", "required property a")]
    [InlineData("""{"allOf": [{"type": "integer"}, {"minimum": 3}]}""", "allOf")]
    public void What_is_not_supported_is_named(string schema, string named) =>
        Assert.Contains(named, Assert.Throws<NotSupportedException>(() => OutputConstraint.JsonSchema(schema, Tokenizer("qwen2-like"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("[]", true)]
    [InlineData("[[],[[]]]", true)]
    [InlineData("[[[[[]]]]]", true)]
    [InlineData("[[[[[[]]]]]]", false)]
    [InlineData("[[]", false)]
    public void A_schema_may_stand_inside_of_itself_four_times(string text, bool isAllowed)
    {
        const string Schema = """{"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}}""";
        using JsonDocument json = JsonDocument.Parse(Schema);
        ByteAutomaton automaton = ByteAutomaton.Of(JsonSchemaReader.Read(json.RootElement), static _ => true);
        int state = automaton.Next(ByteAutomaton.Start, System.Text.Encoding.UTF8.GetBytes(text));
        Assert.Equal(isAllowed, state != ByteAutomaton.Dead && automaton.IsComplete(state));
    }

    [Theory]
    [InlineData("""{"type": "strin"}""", "strin")]
    [InlineData("""{"type": "integer", "minimum": 5, "maximum": 4}""", "bounds")]
    [InlineData("""{"type": "string", "minLength": 5, "maxLength": 4}""", "maxLength")]
    [InlineData("""{"$ref": "#/$defs/none"}""", "none")]
    [InlineData("""{"enum": []}""", "enum")]
    [InlineData("""[1]""", "object")]
    [InlineData("""{""", "JSON")]
    public void What_is_wrong_is_named(string schema, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => OutputConstraint.JsonSchema(schema, Tokenizer("qwen2-like"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 9)]
    [InlineData(7, 123)]
    [InlineData(-45, 8)]
    [InlineData(-120, -99)]
    [InlineData(100, 100)]
    [InlineData(998, 1002)]
    public void The_integers_of_a_range_are_exactly_those(long first, long last)
    {
        ByteAutomaton automaton = ByteAutomaton.Of(JsonPieces.Integers(first, last), static _ => true);
        for (long number = first - 150; number <= last + 150; number++)
        {
            int state = automaton.Next(ByteAutomaton.Start, System.Text.Encoding.UTF8.GetBytes($"{number}"));
            Assert.Equal(number >= first && number <= last, state != ByteAutomaton.Dead && automaton.IsComplete(state));
        }
    }

    [Fact]
    public void Sets_of_code_points_are_exactly_their_utf_8()
    {
        CodePointRanges ranges = CodePointRanges.Of((0x20, 0x7E), (0xE4, 0x2AC), (0x7F0, 0x812), (0xD7A0, 0xE010), (0xFFF0, 0x10020), (0x10FF00, 0x10FFFF));
        ByteAutomaton automaton = ByteAutomaton.Of(new TextPiece.Characters(ranges), static _ => true);
        for (int codePoint = 0; codePoint <= 0x10FFFF; codePoint++)
        {
            if (codePoint is >= 0xD800 and <= 0xDFFF) continue;
            int state = automaton.Next(ByteAutomaton.Start, System.Text.Encoding.UTF8.GetBytes(char.ConvertFromUtf32(codePoint)));
            if (ranges.Contains(codePoint) != (state != ByteAutomaton.Dead && automaton.IsComplete(state))) Assert.Fail($"U+{codePoint:X}");
        }
    }

    private static PretrainedTokenizer Tokenizer(string name) => PretrainedTokenizer.Load(Path.Combine(TestPaths.Repository, "tests", "Fixtures", "tokenizers", "trained", name));

    private static CausalLanguageModel Model(PretrainedTokenizer tokenizer) =>
        new(ModelSamples.Config() with { VocabularySize = tokenizer.VocabularySize, LayerCount = 1, MaxPositions = 512 }, seed: 1);
}
