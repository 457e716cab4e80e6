namespace MLComponents.Tokenization;

/// <summary>
/// Decodes ids one by one, as a model generates them, and never gives half a character: what ends inside one waits for the next ids.
/// The pieces together are what all ids decode to, except where a decoder takes back a whole run of bytes that turns out not to be
/// valid; text that was given stays given. Not for several threads at a time.
/// </summary>
/// <remarks>
/// The rule: all ids so far are decoded; where that ends in U+FFFD there is no text yet, else it is what lies behind as many code points
/// as were given already. It is computed from the last few ids only where the decoder allows that.
/// </remarks>
public sealed class DecodeStream
{
    private readonly TokenizerPipeline _pipeline;
    private readonly bool _skipSpecialTokens;
    private readonly bool _isLocal;
    private readonly List<string> _tokens = []; // from the last place on where decoding can begin
    private int _given; // code points of what they decode to that were given already
    private string _last = "";

    internal DecodeStream(TokenizerPipeline pipeline, bool skipSpecialTokens, bool plain = false)
    {
        (_pipeline, _skipSpecialTokens) = (pipeline, skipSpecialTokens);
        _isLocal = !plain && pipeline.Decoder.IsLocal;
    }

    /// <summary>Takes the next id.</summary>
    /// <param name="id">The id.</param>
    /// <returns>The text that is certain now; empty where there is none yet.</returns>
    public string Add(int id)
    {
        // A token that is left out changes nothing, but the rule is asked again all the same, with the same answer.
        if (_pipeline.Token(id, _skipSpecialTokens) is not { } token) return "";
        _tokens.Add(token);
        _last = _pipeline.Decoder.Decode([.. _tokens]);
        if (_last.EndsWith(CodePoints.Replacement)) return "";
        string text = Behind(_last, _given);
        _given = CodePoints.Count(_last);
        if (_isLocal && _last.Length > 0) BeginAnew(token);
        return text;
    }

    /// <summary>The rest of what all ids decode to: what still waited for its end. Nothing must be added afterwards.</summary>
    public string Flush()
    {
        string text = Behind(_last, _given);
        _given = CodePoints.Count(_last);
        return text;
    }

    // The last token stays as what the next ones follow, so that they are not taken for the first.
    private void BeginAnew(string token)
    {
        if (_pipeline.Decoder.RestartsAnywhere)
        {
            _tokens.Clear();
            (_last, _given) = ("", 0);
            return;
        }

        if (ByteFallbackDecoder.ByteOf(token) >= 0) return;
        string alone = _pipeline.Decoder.Decode([token]);
        if (alone.Length == 0 || alone.EndsWith(CodePoints.Replacement)) return;
        _tokens.Clear();
        _tokens.Add(token);
        _last = alone;
        _given = CodePoints.Count(alone);
    }

    private static string Behind(string text, int codePoints)
    {
        int index = 0;
        for (; codePoints > 0 && index < text.Length; codePoints--)
        {
            CodePoints.At(text, index, out int length);
            index += length;
        }

        return text[index..];
    }
}
