namespace MLComponents.Models;

/// <summary>
/// Chooses the last token of prompts anew, among all tokens that begin as it does: where a prompt ends within what is usually one token, the model would have to go on
/// with what it has hardly ever seen. Lundberg 2023, "The Art of Prompt Design: Prompt Boundaries and Token Healing".
/// </summary>
/// <remarks>
/// The reference cuts white space off the ends of prompts first and favours longer tokens by a bias; here prompts stay as they are, and nothing else can be chosen.
/// </remarks>
internal static class TokenHealing
{
    // The reference's: what stands there is favoured a little.
    private const float FavorOfGiven = 1;

    /// <summary>The input with healed prompts. Those of one token, and with a last token that no other begins with, stay as they are.</summary>
    public static GenerationInput Heal(CausalLanguageModel model, GenerationInput input)
    {
        if (input.Tokenizer is not { } tokenizer) throw new ArgumentException("TokenHealing needs a tokenizer; set Tokenizer in the input.", nameof(input));
        if (input.InputIds is not { } prompts) throw new ArgumentException("TokenHealing needs prompts that are given as ids.", nameof(input));
        byte[]?[] bytes = [.. Enumerable.Range(0, Math.Min(tokenizer.VocabularySize, model.Config.VocabularySize)).Select(tokenizer.BytesOf)];
        return input with { InputIds = [.. prompts.Select(prompt => Heal(model, [.. prompt], bytes))] };
    }

    private static int[] Heal(CausalLanguageModel model, int[] prompt, byte[]?[] bytes)
    {
        if (prompt.Length < 2 || prompt[^1] >= bytes.Length || bytes[prompt[^1]] is not { Length: > 0 } given) return prompt;
        int[] candidates = [.. Enumerable.Range(0, bytes.Length).Where(id => bytes[id] is { } other && other.AsSpan().StartsWith(given))];
        if (candidates.Length < 2) return prompt;
        var logits = new float[model.Config.VocabularySize];
        using IDecodingBatch batch = model.Decoding.NewBatch(1, canForget: false);
        batch.Read(prompt.AsSpan(..^1), [prompt.Length - 1], 1, logits);
        logits[prompt[^1]] += FavorOfGiven;
        return [.. prompt[..^1], candidates.MaxBy(id => logits[id])];
    }
}
