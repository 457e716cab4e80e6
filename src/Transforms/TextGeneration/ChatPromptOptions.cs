namespace MLComponents.Transforms;

/// <summary>How prompts are put into the conversation that a chat model reads: a system prompt, examples, and then the row's input as what the user says.</summary>
public sealed class ChatPromptOptions
{
    /// <summary>What the model is told before the conversation. <see langword="null"/> (the default): nothing.</summary>
    public string? SystemPrompt { get; set; }

    /// <summary>A text column with the system prompt of each row, in place of <see cref="SystemPrompt"/>; an empty one is left out. <see langword="null"/> (the default): none.</summary>
    public string? SystemPromptColumnName { get; set; }

    /// <summary>Turns that every conversation begins with. Default none.</summary>
    public IReadOnlyList<ChatExample> Examples { get; set; } = [];

    /// <summary>A column with a vector of texts: what the user says in further examples of each row. Goes with <see cref="ExampleOutputsColumnName"/>. <see langword="null"/> (the default): none.</summary>
    public string? ExampleInputsColumnName { get; set; }

    /// <summary>A column with a vector of texts: what the model answers to each of <see cref="ExampleInputsColumnName"/>. <see langword="null"/> (the default): none.</summary>
    public string? ExampleOutputsColumnName { get; set; }

    /// <summary>Whether every row's conversation begins alike.</summary>
    internal bool IsFixed => SystemPromptColumnName is null && ExampleInputsColumnName is null;

    internal ChatPromptOptions Copy()
    {
        var copy = (ChatPromptOptions)MemberwiseClone();
        copy.Examples = [.. Examples];
        return copy;
    }

    internal void Check()
    {
        if (SystemPrompt is not null && SystemPromptColumnName is not null)
            throw new ArgumentException($"{nameof(SystemPrompt)} and {nameof(SystemPromptColumnName)} ('{SystemPromptColumnName}') are both set; choose one.");
        if ((ExampleInputsColumnName is null) != (ExampleOutputsColumnName is null))
            throw new ArgumentException($"{nameof(ExampleInputsColumnName)} is '{ExampleInputsColumnName}', {nameof(ExampleOutputsColumnName)} is '{ExampleOutputsColumnName}'; set both, or neither.");
        ArgumentNullException.ThrowIfNull(Examples);
        foreach (ChatExample example in Examples)
            if (example is not { Input: not null, Output: not null }) throw new ArgumentException($"{nameof(Examples)} holds an example without input or output.");
    }

    internal void Write(BinaryWriter writer)
    {
        OptionalText.Write(writer, SystemPrompt);
        OptionalText.Write(writer, SystemPromptColumnName);
        OptionalText.Write(writer, ExampleInputsColumnName);
        OptionalText.Write(writer, ExampleOutputsColumnName);
        writer.Write(Examples.Count);
        foreach (ChatExample example in Examples)
        {
            writer.Write(example.Input);
            writer.Write(example.Output);
        }
    }

    internal static ChatPromptOptions Read(BinaryReader reader)
    {
        var options = new ChatPromptOptions
        {
            SystemPrompt = OptionalText.Read(reader),
            SystemPromptColumnName = OptionalText.Read(reader),
            ExampleInputsColumnName = OptionalText.Read(reader),
            ExampleOutputsColumnName = OptionalText.Read(reader),
        };
        var examples = new List<ChatExample>();
        for (int left = reader.ReadInt32(); left > 0; left--) examples.Add(new ChatExample(reader.ReadString(), reader.ReadString()));
        options.Examples = examples;
        return options;
    }
}
