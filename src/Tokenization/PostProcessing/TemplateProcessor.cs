namespace MLComponents.Tokenization;

/// <summary><c>TemplateProcessing</c>: special tokens around one text or two, as templates say.</summary>
internal sealed class TemplateProcessor(IReadOnlyList<TemplatePiece> single, IReadOnlyList<TemplatePiece> pair) : PostProcessor
{
    /// <inheritdoc/>
    public override int AddedTokens(bool isPair) => (isPair ? pair : single).Sum(piece => piece.Tokens.Count);

    /// <inheritdoc/>
    public override int PartsOf(int parts, bool addSpecialTokens) => parts is not (1 or 2)
        ? -1
        : (parts == 2 ? pair : single).Count(piece => addSpecialTokens || piece.Sequence >= 0);

    /// <inheritdoc/>
    public override IReadOnlyList<EncodingDraft> Process(IReadOnlyList<EncodingDraft> parts, bool addSpecialTokens, IReadOnlyList<string> sources)
    {
        var result = new List<EncodingDraft>();
        foreach (TemplatePiece piece in parts.Count == 2 ? pair : single)
        {
            if (piece.Sequence >= 0)
            {
                EncodingDraft part = parts[Math.Min(piece.Sequence, parts.Count - 1)];
                part.SetTypeId(piece.TypeId);
                part.MarkSequence(piece.Sequence);
                result.Add(part.Copy());
            }
            else if (addSpecialTokens)
            {
                var special = new EncodingDraft();
                special.Tokens.AddRange(piece.Tokens);
                result.Add(special);
            }
        }

        return result;
    }
}
