namespace MLComponents.Tokenization;

/// <content>Tokens as bytes.</content>
public sealed partial class PretrainedTokenizer
{
    /// <summary>What a token adds to a text behind others, as bytes: whole characters, or parts of them.</summary>
    /// <param name="id">The id.</param>
    /// <returns>Null for special tokens and for ids without a token.</returns>
    /// <exception cref="NotSupportedException">The tokenizer's decoder makes texts in which tokens have no bytes of their own.</exception>
    internal byte[]? BytesOf(int id)
    {
        if (_pipeline.Added.Find(id) is { } added) return added.Special ? null : System.Text.Encoding.UTF8.GetBytes(added.Content);
        return _pipeline.Model.Vocabulary[id] is { } token ? _pipeline.Decoder.BytesOf(token) : null;
    }
}
