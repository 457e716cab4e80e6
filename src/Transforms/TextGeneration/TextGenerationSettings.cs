namespace MLComponents.Transforms;

/// <summary>What a transformer that generates text is made with, checked.</summary>
internal sealed class TextGenerationSettings
{
    public TextGenerationSettings(string outputColumnName, string inputColumnName, TextGenerationOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(outputColumnName);
        ArgumentException.ThrowIfNullOrEmpty(inputColumnName);
        ArgumentNullException.ThrowIfNull(options);
        (OutputColumnName, InputColumnName, Options) = (outputColumnName, inputColumnName, options.Copy());
        Options.Check();
        Columns = GeneratedColumn.All(outputColumnName, Options);
        ScoringSettings.CheckOutputs([.. Columns.Select(column => column.Name)]);
    }

    public string OutputColumnName { get; }

    public string InputColumnName { get; }

    public TextGenerationOptions Options { get; }

    /// <summary>The columns that are added.</summary>
    public IReadOnlyList<GeneratedColumn> Columns { get; }

    public void Write(BinaryWriter writer)
    {
        writer.Write(OutputColumnName);
        writer.Write(InputColumnName);
        Options.Write(writer);
    }

    public static TextGenerationSettings Read(BinaryReader reader) => new(reader.ReadString(), reader.ReadString(), TextGenerationOptions.Read(reader));
}
