namespace MLComponents.Tokenization;

/// <summary>What the readers of all components share.</summary>
internal static class Component
{
    private const int MaxNesting = 16;

    /// <summary>The <c>type</c> of a component, checked against nesting without end.</summary>
    public static string Type(JsonSection section, int depth) => depth <= MaxNesting
        ? section["type"].String()
        : throw section.Unsupported("nested too deeply", $"{MaxNesting} levels");

    /// <summary>The components of a <c>Sequence</c>, none of which may be null.</summary>
    public static IReadOnlyList<T> Steps<T>(JsonSection section, string name, Func<JsonSection, T?> read)
        where T : class => [.. section[name].Items().Select(item => read(item) ?? throw item.Wrong("a component"))];

    /// <summary>Reads <c>{"String": ...}</c> or <c>{"Regex": ...}</c>.</summary>
    public static TextPattern Pattern(JsonSection section)
    {
        if (section.IsString) return new LiteralPattern(section.String());
        if (!section["String"].IsNull) return new LiteralPattern(section["String"].String());
        if (section["Regex"].IsNull) throw section.Wrong("{\"String\": ...} or {\"Regex\": ...}");
        string pattern = section["Regex"].String();
        return Naming(section, () => TextPattern.FromRegex(pattern));
    }

    /// <summary>Puts the place in the file in front of what an error says.</summary>
    public static T Naming<T>(JsonSection section, Func<T> create)
    {
        try
        {
            return create();
        }
        catch (FormatException problem)
        {
            throw new FormatException($"{section.File}: {section.Path}: {problem.Message}", problem);
        }
        catch (NotSupportedException problem)
        {
            throw new NotSupportedException($"{section.File}: {section.Path}: {problem.Message}", problem);
        }
    }

    /// <summary>How <c>Metaspace</c> writes which pieces get its character, in the newer and the older spelling.</summary>
    public static PrependScheme Prepend(JsonSection section)
    {
        string scheme = section["prepend_scheme"].String("always");
        bool adds = section["add_prefix_space"].Boolean(true);
        return scheme switch
        {
            "always" when adds || section["prepend_scheme"].IsNull => adds ? PrependScheme.Always : PrependScheme.Never,
            "first" when adds => PrependScheme.First,
            "never" => PrependScheme.Never,
            "always" or "first" => throw section["add_prefix_space"].Wrong($"true where prepend_scheme is {scheme}"),
            _ => throw section["prepend_scheme"].Wrong("always, first or never"),
        };
    }
}
