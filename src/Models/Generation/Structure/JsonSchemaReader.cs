using System.Globalization;
using System.Text.Json;

namespace MLComponents.Models;

/// <summary>
/// JSON schemas as parts of texts. What is allowed is compact JSON that is valid against the schema, with members in the order of the schema; not all that is valid:
/// names that the schema does not have, for instance, never appear. Keywords that are not supported are named in an error, so that nothing is valid by accident.
/// </summary>
internal sealed class JsonSchemaReader
{
    private const int MostRepetitions = 10_000;

    /// <summary>How often a schema may stand inside of itself: a finite automaton has no stack.</summary>
    private const int MostNested = 4;

    private const int MostReferences = 4_000;

    private static readonly HashSet<string> s_annotations =
    [
        "$schema", "$id", "$anchor", "$comment", "$defs", "definitions", "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly",
    ];

    private static readonly string[] s_types = ["object", "array", "string", "integer", "number", "boolean", "null"];

    private static readonly Dictionary<string, string> s_formats = new()
    {
        ["date"] = @"[0-9]{3}[1-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
        ["time"] = @"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
        ["date-time"] = @"[0-9]{3}[1-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
        ["uuid"] = @"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ["ipv4"] = @"((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])",
        ["email"] = @"[a-z0-9]{1,20}(\.[a-z0-9]{1,20}){0,3}@[a-z0-9]{1,20}(\.[a-z]{2,10}){1,3}",
        ["uri"] = @"https?://[a-z0-9]{1,20}(\.[a-z]{2,10}){1,3}(/[a-z0-9]{1,20}){0,5}",
    };

    private readonly JsonElement _root;
    private readonly Stack<string> _references = new(["#"]);
    private int _followed;

    private JsonSchemaReader(JsonElement root) => _root = root;

    /// <summary>The texts that a schema allows.</summary>
    /// <exception cref="FormatException">It is no JSON schema.</exception>
    /// <exception cref="NotSupportedException">It uses what is not supported; the message names it and where it is.</exception>
    public static TextPiece Read(JsonElement schema) => new JsonSchemaReader(schema).Read(schema, "#");

    private TextPiece Read(JsonElement schema, string path)
    {
        if (schema.ValueKind == JsonValueKind.True) throw Unsupported(path, "a schema that allows everything; say which type it is");
        if (schema.ValueKind != JsonValueKind.Object) throw new FormatException($"The JSON schema is wrong at {path}: expected an object, found {schema.ValueKind}.");
        var keys = new Keywords(schema, path);
        TextPiece piece = ReadReference(keys) ?? ReadChoices(keys) ?? ReadValues(keys) ?? ReadTypes(keys);
        keys.CheckThatAllWereRead();
        return piece;
    }

    private TextPiece? ReadReference(Keywords keys)
    {
        if (keys.String("$ref") is not { } reference) return null;
        if (_references.Count(outer => outer == reference) > MostNested) return TextPiece.Never;
        if (++_followed > MostReferences) throw Unsupported(keys.Path, $"more than {MostReferences} references, counting those inside of each other");
        if (!reference.StartsWith('#')) throw Unsupported(keys.Path, $"$ref to {reference}, which is not in the schema");
        JsonElement target = _root;
        foreach (string part in reference[1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (target.ValueKind != JsonValueKind.Object || !target.TryGetProperty(name, out target))
                throw new FormatException($"The JSON schema is wrong at {keys.Path}: $ref names {reference}, which does not exist.");
        }

        _references.Push(reference);
        TextPiece piece = Read(target, reference);
        _references.Pop();
        return piece;
    }

    private TextPiece? ReadChoices(Keywords keys)
    {
        if (keys.Array("allOf") is { } all)
        {
            if (all.Count != 1) throw Unsupported(keys.Path, "allOf with several schemas; write them as one");
            return Read(all[0], $"{keys.Path}/allOf/0");
        }

        if (keys.Array("anyOf") is { } any) return TextPiece.Any(any.Select((schema, index) => Read(schema, $"{keys.Path}/anyOf/{index}")));
        if (keys.Array("oneOf") is not { } one) return null;
        TextPiece[] pieces = [.. one.Select((schema, index) => Read(schema, $"{keys.Path}/oneOf/{index}"))];
        ByteAutomaton?[] automata = [.. pieces.Select(static piece => ByteAutomaton.OfAny(piece, static _ => true))];
        for (int first = 0; first < automata.Length; first++)
        {
            for (int second = first + 1; second < automata.Length; second++)
            {
                if (automata[first] is { } left && automata[second] is { } right && ByteAutomaton.Common(left, right) is { } text)
                    throw Unsupported(keys.Path, $"oneOf whose schemas {first} and {second} both allow {text}; make them exclude each other");
            }
        }

        return TextPiece.Any(pieces);
    }

    /// <summary><c>const</c> and <c>enum</c>.</summary>
    private static TextPiece? ReadValues(Keywords keys)
    {
        IReadOnlyList<JsonElement>? values = keys.Any("const") is { } only ? [only] : keys.Array("enum");
        if (values is null) return null;
        if (keys.Any("enum") is not null && keys.Any("const") is not null) throw Unsupported(keys.Path, "const beside enum");
        string[]? types = Types(keys);
        JsonElement[] fitting = [.. values.Where(value => types is null || types.Any(type => IsOf(value, type)))];
        if (fitting.Length == 0) throw new FormatException($"The JSON schema is wrong at {keys.Path}: no value of enum or const has the type.");
        return TextPiece.Any(fitting.Select(JsonPieces.Value));
    }

    private TextPiece ReadTypes(Keywords keys)
    {
        string told = keys.Has("properties") ? "object"
            : keys.Has("items") || keys.Has("prefixItems") ? "array"
            : keys.Has("pattern") || keys.Has("format") ? "string"
            : keys.Has("type") ? ""
            : throw Unsupported(keys.Path, "a schema without type, enum, const, $ref or anyOf; say which type it is");
        string[] types = Types(keys) ?? [told];
        return TextPiece.Any(types.Select(type => type switch
        {
            "object" => ReadObject(keys),
            "array" => ReadArray(keys),
            "string" => ReadString(keys),
            "integer" => ReadInteger(keys),
            "number" => ReadNumber(keys),
            "boolean" => TextPiece.Any("true", "false"),
            _ => "null",
        }));
    }

    private TextPiece ReadObject(Keywords keys)
    {
        string[] required = [.. (keys.Array("required") ?? []).Select(name => name.GetString() ?? throw keys.Wrong("required", "an array of names"))];
        if (keys.Any("additionalProperties") is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) })
            throw Unsupported(keys.Path, "additionalProperties with a schema; name the properties");
        if (keys.Any("properties") is not { ValueKind: JsonValueKind.Object } properties) throw Unsupported(keys.Path, "an object without properties; name them");
        string[] names = [.. properties.EnumerateObject().Select(static property => property.Name)];
        if (required.FirstOrDefault(name => !names.Contains(name)) is { } unknown) throw Unsupported(keys.Path, $"the required property {unknown}, which properties does not describe");
        var members = properties.EnumerateObject().Select(property => (
            TextPiece.Of(JsonPieces.Text(property.Name), JsonPieces.Colon, Read(property.Value, $"{keys.Path}/properties/{property.Name}")), required.Contains(property.Name)));
        return TextPiece.Of("{", new TextPiece.Members([.. members], JsonPieces.Separator), "}");
    }

    private TextPiece ReadArray(Keywords keys)
    {
        if (keys.Any("uniqueItems") is { ValueKind: not JsonValueKind.False }) throw Unsupported(keys.Path, "uniqueItems");
        (int minimum, int? maximum) = (keys.Count("minItems") ?? 0, keys.Count("maxItems"));
        if (maximum < minimum) throw new FormatException($"The JSON schema is wrong at {keys.Path}: maxItems is below minItems.");
        TextPiece[] first = [.. (keys.Array("prefixItems") ?? []).Select((schema, index) => Read(schema, $"{keys.Path}/prefixItems/{index}"))];
        JsonElement? rest = keys.Any("items");
        if (first.Length > 0)
        {
            if (rest is { ValueKind: not JsonValueKind.False } || maximum < first.Length || minimum > first.Length)
                throw Unsupported(keys.Path, "prefixItems with other numbers of items than its own; set items to false");
            return TextPiece.Of(["[", .. first.SelectMany((piece, index) => (TextPiece[])(index == 0 ? [piece] : [JsonPieces.Separator, piece])), "]"]);
        }

        if (rest is not { } items) throw Unsupported(keys.Path, "an array without items; say what they are");
        if (maximum == 0) return "[]";
        TextPiece item = Read(items, $"{keys.Path}/items");
        TextPiece all = TextPiece.Of(item, new TextPiece.Repeat(TextPiece.Of(JsonPieces.Separator, item), Math.Max(0, minimum - 1), maximum - 1));
        return TextPiece.Of("[", minimum == 0 ? TextPiece.Optional(all) : all, "]");
    }

    private static TextPiece ReadString(Keywords keys)
    {
        (int minimum, int? maximum) = (keys.Count("minLength") ?? 0, keys.Count("maxLength"));
        if (maximum < minimum) throw new FormatException($"The JSON schema is wrong at {keys.Path}: maxLength is below minLength.");
        string? pattern = keys.String("pattern");
        if (keys.String("format") is { } format)
        {
            if (pattern is not null) throw Unsupported(keys.Path, "format beside pattern");
            if (!s_formats.TryGetValue(format, out pattern)) throw Unsupported(keys.Path, $"the format {format} (supported are {string.Join(", ", s_formats.Keys)})");
        }

        if (pattern is null) return JsonPieces.Quoted(new TextPiece.Repeat(JsonPieces.Character, minimum, maximum));
        if (minimum > 0 || maximum is not null) throw Unsupported(keys.Path, "minLength or maxLength beside pattern or format; say it in the pattern");
        return JsonPieces.Quoted(RegexPieces.Of(pattern, JsonPieces.Escaped));
    }

    private static TextPiece ReadInteger(Keywords keys)
    {
        (decimal? least, decimal? most) = Range(keys);
        if (keys.Number("multipleOf") is not (null or 1)) throw Unsupported(keys.Path, "multipleOf other than 1");
        if (least is null && most is null) return JsonPieces.Integer;
        const long Farthest = 999_999_999_999_999_999;
        decimal first = Math.Max(Math.Ceiling(least ?? -Farthest), -Farthest), last = Math.Min(Math.Floor(most ?? Farthest), Farthest);
        if (keys.Number("exclusiveMinimum") is { } above && first == above) first++;
        if (keys.Number("exclusiveMaximum") is { } below && last == below) last--;
        if (first > last) throw new FormatException($"The JSON schema is wrong at {keys.Path}: no whole number is within the bounds.");
        return JsonPieces.Integers((long)first, (long)last);
    }

    private static TextPiece ReadNumber(Keywords keys)
    {
        (decimal? least, decimal? most) = Range(keys);
        if (keys.Number("multipleOf") is not null) throw Unsupported(keys.Path, "multipleOf for numbers");
        if (least is null && most is null) return JsonPieces.Number;

        // Whole parts within the bounds; the outermost ones without a fraction.
        const long Farthest = 999_999_999_999_999;
        decimal first = Math.Ceiling(least ?? -Farthest), last = Math.Floor(most ?? Farthest);
        if (keys.Number("exclusiveMinimum") is { } above && first == above) first++;
        if (keys.Number("exclusiveMaximum") is { } below && last == below) last--;
        if (first > last) throw Unsupported(keys.Path, "bounds of a number with no whole number between them");
        List<TextPiece> choices = [];
        if (last >= 0) choices.Add(JsonPieces.Decimals((long)Math.Max(0, first), (long)last));
        if (first < 0) choices.Add(TextPiece.Of("-", JsonPieces.Decimals((long)Math.Max(0, -last), (long)-first)));
        return TextPiece.Any(choices);
    }

    private static (decimal? Least, decimal? Most) Range(Keywords keys) => (
        Largest(keys.Number("minimum"), keys.Number("exclusiveMinimum")), -Largest(-keys.Number("maximum"), -keys.Number("exclusiveMaximum")));

    private static decimal? Largest(decimal? first, decimal? second) => first is { } one && second is { } other ? Math.Max(one, other) : first ?? second;

    private static string[]? Types(Keywords keys)
    {
        string[]? types = keys.Any("type") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } several => [.. several.EnumerateArray().Select(type => type.GetString() ?? "")],
            _ => throw keys.Wrong("type", "a type or an array of types"),
        };
        return types?.FirstOrDefault(type => !s_types.Contains(type)) is { } unknown
            ? throw keys.Wrong("type", $"{string.Join(", ", s_types)}; found {unknown}")
            : types;
    }

    private static bool IsOf(JsonElement value, string type) => value.ValueKind switch
    {
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        JsonValueKind.Number => type == "number" || (type == "integer" && value.TryGetDecimal(out decimal number) && number == Math.Truncate(number)),
        JsonValueKind.Null => type == "null",
        _ => type == "boolean",
    };

    private static NotSupportedException Unsupported(string path, string what) => new($"The JSON schema uses, at {path}, {what}, which is not supported for generation.");

    /// <summary>The keywords of a schema; those that nobody reads are an error.</summary>
    private sealed class Keywords(JsonElement schema, string path)
    {
        private readonly HashSet<string> _read = [.. s_annotations];

        public string Path => path;

        public bool Has(string name) => schema.TryGetProperty(name, out _);

        public JsonElement? Any(string name)
        {
            _read.Add(name);
            return schema.TryGetProperty(name, out JsonElement value) ? value : null;
        }

        public string? String(string name) => Any(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } value => value.GetString(),
            _ => throw Wrong(name, "a string"),
        };

        public IReadOnlyList<JsonElement>? Array(string name) => Any(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Array } value when value.GetArrayLength() > 0 || name is "required" or "prefixItems" => [.. value.EnumerateArray()],
            _ => throw Wrong(name, "an array that is not empty"),
        };

        public decimal? Number(string name) => Any(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } value when value.TryGetDecimal(out decimal number) => number,
            _ => throw Wrong(name, "a number"),
        };

        public int? Count(string name) => Number(name) switch
        {
            null => null,
            >= 0 and <= MostRepetitions and { } number when number == Math.Truncate(number) => (int)number,
            _ => throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from 0 to {MostRepetitions}")),
        };

        public FormatException Wrong(string name, string expected) => new($"The JSON schema is wrong at {path}/{name}: expected {expected}.");

        public void CheckThatAllWereRead()
        {
            foreach (JsonProperty property in schema.EnumerateObject())
                if (!_read.Contains(property.Name)) throw Unsupported(path, $"the keyword {property.Name} here");
        }
    }
}
