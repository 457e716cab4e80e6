namespace MLComponents.Tokenization;

/// <summary>Builds the component that <c>post_processor</c> describes. A new one is a class and a line here.</summary>
internal static class PostProcessorReader
{
    /// <summary>Reads the component; null where there is none.</summary>
    public static PostProcessor? Read(JsonSection section)
    {
        PostProcessor? processor = Read(section, 0);
        foreach (bool addsSpecial in new[] { true, false })
        {
            foreach (int texts in new[] { 1, 2 })
            {
                if (processor?.PartsOf(texts, addsSpecial) < 0)
                    throw section.Unsupported("a Sequence with a template behind what adds tokens", "a template as the last that adds tokens");
            }
        }

        return processor;
    }

    private static PostProcessor? Read(JsonSection section, int depth) => section.IsNull ? null : Component.Type(section, depth) switch
    {
        "ByteLevel" => new ByteLevelPostProcessor(section["add_prefix_space"].Boolean(true), section["trim_offsets"].Boolean(true)),
        "TemplateProcessing" => ReadTemplates(section),
        "BertProcessing" => new BertProcessor(ReadToken(section["cls"]), ReadToken(section["sep"]), roberta: null),
        "RobertaProcessing" => new BertProcessor(
            ReadToken(section["cls"]),
            ReadToken(section["sep"]),
            (section["trim_offsets"].Boolean(true), section["add_prefix_space"].Boolean(true))),
        "Sequence" => new PostProcessorSequence(Component.Steps(section, "processors", item => Read(item, depth + 1))),
        _ => throw section.UnsupportedType("ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "Sequence"),
    };

    // ["[SEP]", 102]
    private static DraftToken ReadToken(JsonSection section) => section.Items() is [var text, var id]
        ? Special(id.Id(), text.String(), 0)
        : throw section.Wrong("a token and its id");

    private static TemplateProcessor ReadTemplates(JsonSection section)
    {
        IReadOnlyList<TemplatePiece> single = ReadTemplate(section, section["single"]);
        JsonSection pair = section["pair"];
        return new TemplateProcessor(single, pair.IsNull ? [new TemplatePiece(0, 0, []), new TemplatePiece(1, 1, [])] : ReadTemplate(section, pair));
    }

    private static List<TemplatePiece> ReadTemplate(JsonSection section, JsonSection template)
    {
        var pieces = new List<TemplatePiece>();
        foreach (JsonSection piece in template.Items())
        {
            if (piece["Sequence"] is { IsNull: false } sequence)
            {
                int text = sequence["id"].String() switch { "A" => 0, "B" => 1, _ => throw sequence["id"].Wrong("A or B") };
                if (text == 1 && template.Path.EndsWith("single", StringComparison.Ordinal)) throw sequence["id"].Wrong("A, for there is one text");
                pieces.Add(new TemplatePiece(text, sequence["type_id"].Count(0), []));
            }
            else if (piece["SpecialToken"] is { IsNull: false } special)
            {
                pieces.Add(ReadSpecial(section["special_tokens"], special));
            }
            else
            {
                throw piece.Wrong("{\"Sequence\": ...} or {\"SpecialToken\": ...}");
            }
        }

        return pieces;
    }

    // One name may stand for several tokens.
    private static TemplatePiece ReadSpecial(JsonSection specialTokens, JsonSection piece)
    {
        JsonSection special = specialTokens[piece["id"].String()];
        int typeId = piece["type_id"].Count(0);
        IReadOnlyList<JsonSection> ids = special["ids"].Items();
        IReadOnlyList<JsonSection> tokens = special["tokens"].Items();
        if (ids.Count != tokens.Count) throw special.Wrong("as many ids as tokens");
        return new TemplatePiece(-1, typeId, [.. ids.Zip(tokens, (id, token) => Special(id.Id(), token.String(), typeId))]);
    }

    private static DraftToken Special(int id, string text, int typeId) => new(id, text, 0, 0, -1, typeId, TokenKind.Special, -1);
}
