using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>
/// Lets a smaller model with another tokenizer propose text, which becomes tokens of the model. Timor et al. 2025, "Accelerating LLM Inference with Lossless Speculative
/// Decoding Algorithms for Heterogeneous Vocabularies", string-level exact match: the model accepts a token where it would have chosen that itself.
/// </summary>
internal sealed class TranslatedDraft : DraftSource
{
    /// <summary>Tokens before the proposed ones that show where these begin: what stands at a seam may be written with other tokens than each side alone.</summary>
    private const int Lookbehind = 10;

    private const char Incomplete = '\uFFFD';

    private readonly GenerationCall _call;
    private readonly PretrainedTokenizer _tokenizer;
    private readonly PretrainedTokenizer _other;
    private readonly int[] _ends;

    /// <param name="call">The call.</param>
    /// <param name="model">The smaller model.</param>
    /// <param name="tokenizer">The tokenizer of the model that checks.</param>
    /// <param name="other">The smaller model's tokenizer.</param>
    /// <exception cref="ArgumentException">A model has fewer token ids than its tokenizer.</exception>
    public TranslatedDraft(GenerationCall call, CausalLanguageModel model, PretrainedTokenizer tokenizer, PretrainedTokenizer other)
        : base(call, Checked(call, model, tokenizer, other))
    {
        (_call, _tokenizer, _other) = (call, tokenizer, other);
        _ends = [.. model.GenerationConfig.EosTokenIds ?? (other.EosTokenId is { } end ? [end] : [])];
    }

    /// <inheritdoc/>
    public override Candidates Propose(ReadOnlySpan<int> ids, int most)
    {
        ReadOnlySpan<int> own = ids[_call.Prompts.Padding(0)..];
        string text = _tokenizer.Decode(own, skipSpecialTokens: false);
        int[] read = text.EndsWith(Incomplete) ? [] : _other.EncodeIds(text);
        if (read.Length == 0) return new Candidates([], null); // in the midst of a character there is nothing to go on from

        int[] written = [.. Write(read, most, _ends, static (_, scores) => ScoreMath.ArgMax(scores)).Select(static token => token.Id).TakeWhile(id => !_ends.Contains(id))];
        string before = _other.Decode(read, skipSpecialTokens: true), after = _other.Decode([.. read, .. written], skipSpecialTokens: true);
        string added = after.StartsWith(before, StringComparison.Ordinal) ? after[before.Length..].TrimEnd(Incomplete) : "";
        int[] translated = Translate(own[Math.Max(0, own.Length - Lookbehind)..], added);
        return new Candidates(translated[..Math.Clamp(most, 0, translated.Length)], null);
    }

    private static CausalLanguageModel Checked(GenerationCall call, CausalLanguageModel model, PretrainedTokenizer tokenizer, PretrainedTokenizer other)
    {
        if (tokenizer.VocabularySize > call.VocabularySize)
            throw new ArgumentException($"Tokenizer has {tokenizer.VocabularySize} token ids, the model {call.VocabularySize}; expected the tokenizer of the model that generates.", nameof(tokenizer));
        if (other.VocabularySize > model.Config.VocabularySize)
            throw new ArgumentException($"AssistantTokenizer has {other.VocabularySize} token ids, the assistant model {model.Config.VocabularySize}; expected the tokenizer of that model.", nameof(other));
        return model;
    }

    /// <summary>The tokens of a text behind other tokens.</summary>
    private int[] Translate(ReadOnlySpan<int> before, string added)
    {
        if (added.Length == 0) return [];
        string seam = _tokenizer.Decode(before, skipSpecialTokens: false);
        int[] first = _tokenizer.EncodeIds(seam, addSpecialTokens: false), both = _tokenizer.EncodeIds(seam + added, addSpecialTokens: false);
        return both.AsSpan().StartsWith(first) ? both[first.Length..] : _tokenizer.EncodeIds(added, addSpecialTokens: false);
    }
}
