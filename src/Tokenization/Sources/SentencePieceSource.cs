using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>
/// Makes a tokenizer.json of a SentencePiece model and what lies beside it. The ids are SentencePiece's own; a <c>LlamaTokenizer</c>
/// with <c>legacy: false</c> gets the form that transformers gives it, which differs in leading spaces and behind added tokens.
/// </summary>
internal static class SentencePieceSource
{
    private const string Space = "\u2581";

    // Their classes renumber the pieces.
    private static readonly string[] Renumbering = ["XLMRoberta", "Camembert", "MBart", "NllbTokenizer", "Barthez", "XGLM", "Plbart", "PLBart", "Deberta", "Pegasus", "BigBirdPegasus"];

    /// <summary>Makes the file.</summary>
    /// <exception cref="FormatException">Files are broken or contradict each other.</exception>
    /// <exception cref="NotSupportedException">The model or the class of the tokenizer is not supported.</exception>
    public static byte[] Make(string file, IReadOnlyDictionary<string, byte[]> files)
    {
        JsonSection? settings = new TokenizerConfiguration(files).Settings;
        string className = settings?["tokenizer_class"].String("") ?? "";
        if (Renumbering.FirstOrDefault(name => className.StartsWith(name, StringComparison.OrdinalIgnoreCase)) is not null)
            throw new NotSupportedException($"{TokenizerFiles.Configuration}: tokenizer_class is {className}, which gives the pieces of {file} other ids; such a tokenizer needs its {TokenizerFiles.Tokenizer}.");
        var model = new SentencePieceFile(file, files[file]);
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < model.Pieces.Count; id++) ids[model.Pieces[id].Text] = id;
        var added = new AddedTokenCollector(files, text => ids.TryGetValue(text, out int id) ? id : null, model.Pieces.Count, OwnTokens(model));
        bool isMetaspace = className.StartsWith("Llama", StringComparison.Ordinal) && settings?["legacy"].Boolean(true) == false;
        var components = new TokenizerComponents
        {
            Normalizer = TokenizerComponents.Sequence("normalizers", [.. Normalizers(model, isMetaspace)]),
            PreTokenizer = isMetaspace ? Metaspace(model) : null,
            PostProcessor = PostProcessor(className, settings, added.Tokens),
            Decoder = TokenizerComponents.Sequence("decoders", [.. Decoders(model)]),
        };
        return TokenizerJsonWriter.Write(components, added.Tokens, writer =>
        {
            int unknown = model.Pieces.FindIndex(piece => piece.Kind == SentencePieceKind.Unknown);
            if (model.IsBpe)
            {
                var bpe = new BpeSettings { UnknownToken = unknown < 0 ? null : model.Pieces[unknown].Text, FuseUnknown = true, ByteFallback = model.ByteFallback };
                TokenizerJsonWriter.WriteBpe(writer, bpe, Vocabulary(model, ids), SentencePieceMerges.Derive(model.Pieces));
            }
            else
            {
                TokenizerJsonWriter.WriteUnigram(writer, unknown, model.ByteFallback, model.Pieces.Select(piece => (piece.Text, (double)piece.Score)));
            }
        });
    }

    // Control tokens and what is always a token are found before the model sees the text.
    private static IEnumerable<AddedToken> OwnTokens(SentencePieceFile model)
    {
        for (int id = 0; id < model.Pieces.Count; id++)
        {
            (string text, _, SentencePieceKind kind) = model.Pieces[id];
            if (text.Length > 0 && kind is SentencePieceKind.Unknown or SentencePieceKind.Control or SentencePieceKind.UserDefined)
                yield return new AddedToken(id, text, false, false, false, Normalized: false, Special: kind != SentencePieceKind.UserDefined);
        }
    }

    // A text that is listed twice keeps its last id.
    private static IEnumerable<(string, int)> Vocabulary(SentencePieceFile model, Dictionary<string, int> ids) =>
        model.Pieces.Select((piece, id) => (piece.Text, id)).Where(piece => ids[piece.Text] == piece.id);

    private static IEnumerable<JsonNode> Normalizers(SentencePieceFile model, bool isMetaspace)
    {
        if (model.CharacterMap.Length > 0)
            yield return new JsonObject { ["type"] = "Precompiled", ["precompiled_charsmap"] = Convert.ToBase64String(model.CharacterMap) };
        if (model.RemoveExtraWhitespaces)
        {
            yield return new JsonObject { ["type"] = "Strip", ["strip_left"] = true, ["strip_right"] = true };
            yield return TokenizerComponents.Replace(" {2,}", " ", isRegex: true);
        }

        if (isMetaspace) yield break;
        if (model.AddDummyPrefix) yield return new JsonObject { ["type"] = "Prepend", ["prepend"] = model.EscapeWhitespaces ? Space : " " };
        if (model.EscapeWhitespaces) yield return TokenizerComponents.Replace(" ", Space);
    }

    private static JsonObject Metaspace(SentencePieceFile model) => new()
    {
        ["type"] = "Metaspace", ["replacement"] = Space, ["prepend_scheme"] = model.AddDummyPrefix ? "first" : "never", ["split"] = false,
    };

    private static JsonObject? PostProcessor(string className, JsonSection? settings, IReadOnlyCollection<AddedToken> added)
    {
        bool isLlama = className.StartsWith("Llama", StringComparison.Ordinal) || className.StartsWith("CodeLlama", StringComparison.Ordinal)
            || className.StartsWith("Gemma", StringComparison.Ordinal);
        bool isT5 = className.StartsWith("T5", StringComparison.Ordinal) || className.StartsWith("MT5", StringComparison.Ordinal);
        AddedToken? Role(string name, bool adds, string usual)
        {
            if (!adds) return null;
            JsonSection? role = settings?[name + "_token"];
            string text = role is not { IsNull: false } section ? usual : section.IsObject ? section["content"].String() : section.String();
            return added.FirstOrDefault(token => token.Content == text)
                ?? throw new FormatException($"{TokenizerFiles.Configuration}: {name}_token is '{text}', which is no token of the model.");
        }

        return TokenizerComponents.Template(
            Role("bos", settings?["add_bos_token"].Boolean(isLlama) ?? false, "<s>"),
            Role("eos", settings?["add_eos_token"].Boolean(isT5) ?? false, "</s>"),
            secondTypeId: isT5 ? 0 : 1);
    }

    private static IEnumerable<JsonNode> Decoders(SentencePieceFile model)
    {
        if (model.EscapeWhitespaces) yield return TokenizerComponents.Replace(Space, " ");
        if (model.ByteFallback) yield return new JsonObject { ["type"] = "ByteFallback" };
        yield return new JsonObject { ["type"] = "Fuse" };
        if (model.AddDummyPrefix) yield return new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 };
    }
}
