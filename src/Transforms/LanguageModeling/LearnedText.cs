namespace MLComponents.Transforms;

/// <summary>Which part of a row's text a language model learns, or is measured on, and how the row becomes that text.</summary>
public enum LearnedText
{
    /// <summary>All of the text. Where a prompt column is named, the text follows the prompt directly, and the prompt is read but not learnt.</summary>
    Text = 0,

    /// <summary>The text as the model's answer to the prompt, both written as a conversation by the model's chat template; only the answer is learnt.</summary>
    ChatResponse = 1,

    /// <summary>The text is a conversation in JSON, an array of messages with <c>role</c> and <c>content</c>; what the assistant says in it is learnt.</summary>
    Conversation = 2,
}
