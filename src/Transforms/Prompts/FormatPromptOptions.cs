using System.Globalization;

namespace MLComponents.Transforms;

/// <summary>How <c>FormatPrompt</c> writes values, and what gives way when a prompt gets too long. Characters are UTF-16 code units, as in <see cref="string.Length"/>.</summary>
public sealed class FormatPromptOptions
{
    /// <summary>
    /// The culture that numbers and dates are written in. Default: the invariant culture, in which dates without a format of
    /// their own are written "yyyy-MM-dd HH:mm:ss" (with the offset, where they have one). A model file keeps its name.
    /// </summary>
    public CultureInfo Culture { get; set; } = CultureInfo.InvariantCulture;

    /// <summary>What stands for a missing value: NaN, empty text, a key of 0, a vector without any value. Default: nothing.</summary>
    public string MissingValue { get; set; } = "";

    /// <summary>Whether a line of the template that has placeholders is left out, with its line break, when all of them are missing. Default <see langword="false"/>.</summary>
    public bool DropLinesWithoutValues { get; set; }

    /// <summary>What stands between the values of a vector; missing ones are left out. Default ", ".</summary>
    public string VectorSeparator { get; set; } = ", ";

    /// <summary>Most characters of a value, by column, 0 or more. Default: no limits.</summary>
    public IDictionary<string, int> ColumnLimits { get; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>
    /// Most characters of a prompt, at least as many as the template has outside its placeholders: that text is never cut.
    /// Values are cut in the order of <see cref="CutFirst"/>, each down to nothing before the next one is touched.
    /// <see langword="null"/> (the default): no limit.
    /// </summary>
    public int? MaxCharacters { get; set; }

    /// <summary>The columns whose values give way to <see cref="MaxCharacters"/>, first to last; the others follow, the template's last placeholder first. Default: none named.</summary>
    public IList<string> CutFirst { get; } = [];

    /// <summary>What the kept beginning of a cut value ends with, where there is room for it. Default "…".</summary>
    public string TruncationMarker { get; set; } = "…";

    internal FormatPromptOptions Copy()
    {
        var copy = new FormatPromptOptions
        {
            Culture = Culture,
            MissingValue = MissingValue,
            DropLinesWithoutValues = DropLinesWithoutValues,
            VectorSeparator = VectorSeparator,
            MaxCharacters = MaxCharacters,
            TruncationMarker = TruncationMarker,
        };
        foreach ((string column, int limit) in ColumnLimits) copy.ColumnLimits.Add(column, limit);
        foreach (string column in CutFirst) copy.CutFirst.Add(column);
        return copy;
    }

    /// <summary>Throws what is wrong with the values for a template, naming the option.</summary>
    internal void Check(PromptTemplate template)
    {
        ArgumentNullException.ThrowIfNull(Culture);
        ArgumentNullException.ThrowIfNull(MissingValue);
        ArgumentNullException.ThrowIfNull(VectorSeparator);
        ArgumentNullException.ThrowIfNull(TruncationMarker);
        foreach ((string column, int limit) in ColumnLimits)
        {
            CheckNamed(template, column, nameof(ColumnLimits));
            if (limit < 0) throw OutOfRange.Error($"The limit of column '{column}' is {limit}; expected 0 or more characters.", nameof(ColumnLimits));
        }
        foreach (string column in CutFirst) CheckNamed(template, column, nameof(CutFirst));
        if (CutFirst.Distinct().Count() < CutFirst.Count)
            throw new ArgumentException($"{nameof(CutFirst)} names a column twice: {string.Join(", ", CutFirst)}.");
        if (MaxCharacters is { } most && most < template.LiteralCharacters)
            throw OutOfRange.Error($"The template's own text has {template.LiteralCharacters} characters, which are never cut; {nameof(MaxCharacters)} is {most}.", nameof(MaxCharacters));
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(Culture.Name);
        writer.Write(MissingValue);
        writer.Write(DropLinesWithoutValues);
        writer.Write(VectorSeparator);
        writer.Write(TruncationMarker);
        writer.Write(MaxCharacters ?? -1);
        writer.Write(ColumnLimits.Count);
        foreach ((string column, int limit) in ColumnLimits)
        {
            writer.Write(column);
            writer.Write(limit);
        }
        writer.Write(CutFirst.Count);
        foreach (string column in CutFirst) writer.Write(column);
    }

    internal static FormatPromptOptions Read(BinaryReader reader)
    {
        var options = new FormatPromptOptions
        {
            Culture = CultureInfo.GetCultureInfo(reader.ReadString()),
            MissingValue = reader.ReadString(),
            DropLinesWithoutValues = reader.ReadBoolean(),
            VectorSeparator = reader.ReadString(),
            TruncationMarker = reader.ReadString(),
            MaxCharacters = reader.ReadInt32() is >= 0 and int most ? most : null,
        };
        for (int left = reader.ReadInt32(); left > 0; left--) options.ColumnLimits.Add(reader.ReadString(), reader.ReadInt32());
        for (int left = reader.ReadInt32(); left > 0; left--) options.CutFirst.Add(reader.ReadString());
        return options;
    }

    private static void CheckNamed(PromptTemplate template, string column, string option)
    {
        if (!template.Placeholders.Any(placeholder => placeholder.Column == column))
            throw new ArgumentException($"{option} names column '{column}', which is not in the template; its columns are {string.Join(", ", template.Placeholders.Select(placeholder => $"'{placeholder.Column}'").Distinct())}.", option);
    }
}
