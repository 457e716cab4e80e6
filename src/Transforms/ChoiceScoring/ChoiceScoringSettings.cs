namespace MLComponents.Transforms;

/// <summary>What a transformer that scores choices is made with, checked.</summary>
internal sealed class ChoiceScoringSettings
{
    public ChoiceScoringSettings(string inputColumnName, IEnumerable<string> choices, ChoiceScoringOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(inputColumnName);
        ArgumentNullException.ThrowIfNull(choices);
        ArgumentNullException.ThrowIfNull(options);
        (InputColumnName, Choices, Options) = (inputColumnName, [.. choices], options.Copy());
        if (Choices.Count < 2 || Choices.Any(string.IsNullOrEmpty))
            throw new ArgumentException($"There are {Choices.Count} choices{(Choices.Any(string.IsNullOrEmpty) ? ", one of them empty" : "")}; expected at least two texts.", nameof(choices));
        if (Choices.Distinct(StringComparer.Ordinal).Count() < Choices.Count) throw new ArgumentException($"A choice is there twice: {string.Join(", ", Choices)}.", nameof(choices));
        Options.Check();
        Labels = ClassLabels.Text(Choices);
    }

    public string InputColumnName { get; }

    public IReadOnlyList<string> Choices { get; }

    public ChoiceScoringOptions Options { get; }

    public ClassLabels Labels { get; }

    /// <summary>The columns that every classifier has.</summary>
    public SequenceClassificationSettings Columns => new()
    {
        TextColumnName = InputColumnName,
        PredictedLabelColumnName = Options.PredictedLabelColumnName,
        ScoreColumnName = Options.ScoreColumnName,
        ProbabilityColumnName = Options.ProbabilityColumnName,
    };

    public void Write(BinaryWriter writer)
    {
        writer.Write(InputColumnName);
        OptionalText.WriteAll(writer, Choices);
        Options.Write(writer);
    }

    public static ChoiceScoringSettings Read(BinaryReader reader) => new(reader.ReadString(), OptionalText.ReadAll(reader) ?? [], ChoiceScoringOptions.Read(reader));
}
