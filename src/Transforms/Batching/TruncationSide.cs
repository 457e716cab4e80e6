namespace MLComponents.Transforms;

/// <summary>Which part of a text gives way when it has more tokens than the model may read.</summary>
public enum TruncationSide
{
    /// <summary>The end is cut: the beginning of the text, where a prompt has its instructions, is kept. The default, as in Hugging Face.</summary>
    End = 0,

    /// <summary>The beginning is cut: the end of the text is kept.</summary>
    Start = 1,

    /// <summary>The middle is cut: the beginning and the end, half of the budget each, are kept. For prompts that begin with instructions and end with a question.</summary>
    Middle = 2,
}
