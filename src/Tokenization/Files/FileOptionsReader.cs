namespace MLComponents.Tokenization;

/// <summary>Reads <c>truncation</c> and <c>padding</c> as options.</summary>
internal static class FileOptionsReader
{
    /// <summary>The options that the sections describe; null where the file has neither.</summary>
    public static EncodingOptions? Read(TokenizerSections sections)
    {
        JsonSection truncation = sections.Section("truncation"), padding = sections.Section("padding");
        if (truncation.IsNull && padding.IsNull) return null;
        var options = new EncodingOptions();
        if (!truncation.IsNull) ReadTruncation(truncation, options);
        if (!padding.IsNull) ReadPadding(padding, options);
        return options;
    }

    private static void ReadTruncation(JsonSection section, EncodingOptions options)
    {
        options.MaxLength = section["max_length"].Count(-1) is > 0 and var length ? length : throw section["max_length"].Wrong("at least 1");
        options.Stride = section["stride"].Count(0);
        options.TruncationSide = section["direction"].IsNull ? SequenceSide.Right : Side(section["direction"]);
        options.Truncation = section["strategy"].String("LongestFirst") switch
        {
            "LongestFirst" => TruncationStrategy.LongestFirst,
            "OnlyFirst" => TruncationStrategy.OnlyFirst,
            "OnlySecond" => TruncationStrategy.OnlySecond,
            _ => throw section["strategy"].Wrong("LongestFirst, OnlyFirst or OnlySecond"),
        };
    }

    private static void ReadPadding(JsonSection section, EncodingOptions options)
    {
        JsonSection strategy = section["strategy"];
        if (strategy.IsString)
        {
            if (strategy.String() != "BatchLongest") throw strategy.Wrong("BatchLongest or {\"Fixed\": length}");
            options.Padding = PaddingStrategy.Longest;
        }
        else
        {
            options.Padding = PaddingStrategy.MaxLength;
            int length = strategy["Fixed"].Count(-1);
            if (length < 1) throw strategy["Fixed"].Wrong("at least 1");

            // One length serves both; where they differ the file's truncation counts, as nothing may be longer.
            options.MaxLength ??= length;
        }

        options.PaddingSide = section["direction"].IsNull ? SequenceSide.Right : Side(section["direction"]);
        options.PadToMultipleOf = section["pad_to_multiple_of"] is { IsNull: false } multiple
            ? multiple.Count(-1) is > 0 and var size ? size : throw multiple.Wrong("at least 1")
            : null;
        options.PadTokenId = section["pad_id"].IsNull ? null : section["pad_id"].Id();
        options.PadTypeId = section["pad_type_id"].Count(0);
    }

    private static SequenceSide Side(JsonSection section) => section.String() switch
    {
        "Left" => SequenceSide.Left,
        "Right" => SequenceSide.Right,
        _ => throw section.Wrong("Left or Right"),
    };
}
