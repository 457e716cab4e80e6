namespace MLComponents.Tokenization;

/// <summary>
/// <c>BertProcessing</c> and <c>RobertaProcessing</c>: a token that begins, one that separates. BERT writes <c>cls A sep B sep</c> with
/// the segments 0 and 1, RoBERTa <c>cls A sep sep B sep</c> with the segment 0, and trims offsets where asked.
/// </summary>
/// <param name="begin">The token that begins.</param>
/// <param name="separator">The token that ends and separates.</param>
/// <param name="roberta">RoBERTa's form: whether offsets are trimmed, and whether spaces were put in front. Null for BERT's.</param>
internal sealed class BertProcessor(DraftToken begin, DraftToken separator, (bool TrimOffsets, bool AddPrefixSpace)? roberta) : PostProcessor
{
    /// <inheritdoc/>
    public override int AddedTokens(bool isPair) => isPair ? (roberta is null ? 3 : 4) : 2;

    /// <inheritdoc/>
    public override IReadOnlyList<EncodingDraft> Process(IReadOnlyList<EncodingDraft> parts, bool addSpecialTokens, IReadOnlyList<string> sources)
    {
        if (roberta is { } settings)
        {
            if (settings.TrimOffsets) ByteLevelPostProcessor.Trim(parts, sources, settings.AddPrefixSpace);
            foreach (EncodingDraft part in parts) part.SetTypeId(0);
        }

        return addSpecialTokens ? [.. parts.Select((part, sequence) => Surround(part, sequence))] : parts;
    }

    private EncodingDraft Surround(EncodingDraft part, int sequence)
    {
        int typeId = sequence == 0 || roberta is not null ? 0 : 1;
        var result = new EncodingDraft();
        if (sequence == 0) result.Tokens.Add(begin with { TypeId = typeId });
        else if (roberta is not null) result.Tokens.Add(separator with { TypeId = typeId });
        int start = result.Count;
        result.Tokens.AddRange(part.Tokens.Select(token => token with { TypeId = typeId }));
        result.Sequences[Math.Min(sequence, 1)] = start..result.Count;
        result.Tokens.Add(separator with { TypeId = typeId });
        result.Overflowing.AddRange(part.Overflowing.Select(window => Surround(window, sequence)));
        return result;
    }
}
