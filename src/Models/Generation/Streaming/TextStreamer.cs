using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>Writes the text of tokens as they come, whole characters only.</summary>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="write">Takes the next part of the text.</param>
/// <param name="skipPrompt">Whether the prompt is left out.</param>
/// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
public sealed class TextStreamer(PretrainedTokenizer tokenizer, Action<string> write, bool skipPrompt = false, bool skipSpecialTokens = false) : ITokenStreamer
{
    private DecodeStream _stream = tokenizer.CreateDecodeStream(skipSpecialTokens);
    private bool _isPrompt = true;

    /// <inheritdoc/>
    public void Put(ReadOnlySpan<int> ids)
    {
        bool skip = _isPrompt && skipPrompt;
        _isPrompt = false;
        string text = "";
        foreach (int id in ids) text += _stream.Add(id);
        if (!skip && text.Length > 0) write(text);
    }

    /// <inheritdoc/>
    public void End()
    {
        if (_stream.Flush() is { Length: > 0 } text) write(text);
        (_stream, _isPrompt) = (tokenizer.CreateDecodeStream(skipSpecialTokens), true);
    }
}
