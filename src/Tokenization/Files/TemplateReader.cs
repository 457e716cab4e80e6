namespace MLComponents.Tokenization;

/// <summary>Reads <c>TemplateProcessing</c>: the template for a single text.</summary>
internal static class TemplateReader
{
    /// <summary>Reads the post-processor.</summary>
    public static TemplateProcessor Read(JsonSection section)
    {
        var prefix = new List<DraftToken>();
        var suffix = new List<DraftToken>();
        bool behindText = false;
        foreach (JsonSection piece in section["single"].Items())
        {
            if (!piece["Sequence"].IsNull)
            {
                JsonSection sequence = piece["Sequence"]["id"];
                if (behindText || sequence.String() != "A") throw piece.Unsupported("a further Sequence", "the Sequence A once");
                behindText = true;
            }
            else if (!piece["SpecialToken"].IsNull)
            {
                (behindText ? suffix : prefix).AddRange(SpecialTokens(section, piece["SpecialToken"]["id"].String()));
            }
            else
            {
                throw piece.Wrong("{\"Sequence\": ...} or {\"SpecialToken\": ...}");
            }
        }

        return behindText ? new TemplateProcessor(prefix, suffix) : throw section["single"].Unsupported("without the Sequence A", "the Sequence A once");
    }

    // One name may stand for several tokens.
    private static IEnumerable<DraftToken> SpecialTokens(JsonSection section, string name)
    {
        JsonSection special = section["special_tokens"][name];
        IReadOnlyList<JsonSection> ids = special["ids"].Items();
        IReadOnlyList<JsonSection> tokens = special["tokens"].Items();
        if (ids.Count != tokens.Count) throw special.Wrong("as many ids as tokens");
        return ids.Zip(tokens, (id, token) => new DraftToken(id.Id(), token.String(), 0, 0, null));
    }
}
