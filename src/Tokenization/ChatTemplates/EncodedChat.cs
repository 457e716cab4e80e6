namespace MLComponents.Tokenization;

/// <summary>A conversation as tokens.</summary>
/// <param name="Text">The text that the chat template gave.</param>
/// <param name="Encoding">Its tokens.</param>
/// <param name="AssistantMask">
/// For every token whether the template marks it as written by the model (<c>assistant_masks</c>): what training should learn from. All
/// false where the template has no <c>{% generation %}</c> blocks.
/// </param>
public sealed record EncodedChat(string Text, Encoding Encoding, IReadOnlyList<bool> AssistantMask)
{
    /// <summary>The token ids.</summary>
    public IReadOnlyList<int> Ids => Encoding.Ids;
}
