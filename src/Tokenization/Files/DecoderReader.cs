namespace MLComponents.Tokenization;

/// <summary>Builds the component that <c>decoder</c> describes. A new one is a class and a line here.</summary>
internal static class DecoderReader
{
    private static readonly string[] Supported =
        ["ByteLevel", "ByteFallback", "Metaspace", "Replace", "Fuse", "Strip", "WordPiece", "BPEDecoder", "CTC", "Sequence"];

    /// <summary>Reads the component; without one tokens are joined by spaces.</summary>
    public static TokenDecoder Read(JsonSection section) => section.IsNull ? new JoiningDecoder() : Read(section, 0);

    private static TokenDecoder Read(JsonSection section, int depth) => Component.Type(section, depth) switch
    {
        "ByteLevel" => new ByteLevelDecoder(),
        "ByteFallback" => new ByteFallbackDecoder(),
        "Metaspace" => new MetaspaceDecoder(
            section["replacement"].IsNull ? "\u2581" : char.ConvertFromUtf32(section["replacement"].CodePoint()),
            Component.Prepend(section) != PrependScheme.Never),
        "Replace" => new ReplaceDecoder(Component.Pattern(section["pattern"]), section["content"].String()),
        "Fuse" => new FuseDecoder(),
        "Strip" => new StripDecoder(section["content"].CodePoint(), section["start"].Count(0), section["stop"].Count(0)),
        "WordPiece" => new WordPieceDecoder(section["prefix"].String("##"), section["cleanup"].Boolean(true)),
        "BPEDecoder" => new SuffixDecoder(section["suffix"].String("</w>")),
        "CTC" => new CtcDecoder(section["pad_token"].String("<pad>"), section["word_delimiter_token"].String("|"), section["cleanup"].Boolean(true)),
        "Sequence" => new DecoderSequence(Component.Steps(section, "decoders", item => Read(item, depth + 1))),
        _ => throw section.UnsupportedType(Supported),
    };
}
