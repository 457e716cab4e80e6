using System.Text.Json;

namespace MLComponents.Models;

/// <summary>The keys of a <c>generation_config.json</c>: how each gets into a configuration, out again, and from one into another.</summary>
internal static class GenerationConfigKeys
{
    private static readonly GenerationKey[] s_keys =
    [
        Integer("max_length", config => config.MaxLength, (config, value) => config with { MaxLength = value }),
        Integer("max_new_tokens", config => config.MaxNewTokens, (config, value) => config with { MaxNewTokens = value }),
        Integer("min_length", config => config.MinLength, (config, value) => config with { MinLength = value }),
        Integer("min_new_tokens", config => config.MinNewTokens, (config, value) => config with { MinNewTokens = value }),
        GenerationKey.Of(
            "max_time", config => config.MaxTime, (config, value) => config with { MaxTime = value },
            (json, key) => json.DoubleOrNull(key) is { } seconds ? TimeSpan.FromSeconds(seconds) : null, (json, value) => json.WriteNumberValue(value!.Value.TotalSeconds)),
        GenerationKey.Of(
            "stop_strings", config => config.StopStrings, (config, value) => config with { StopStrings = value },
            (json, key) => json.AnyOrNull(key) is { ValueKind: JsonValueKind.String } one ? [one.GetString()!] : json.StringsOrNull(key),
            (json, value) => WriteList(json, value!, json.WriteStringValue)),
        Flag("do_sample", config => config.DoSample, (config, value) => config with { DoSample = value }),
        Integer("num_beams", config => config.NumBeams, (config, value) => config with { NumBeams = value }),
        Integer("num_beam_groups", config => config.NumBeamGroups, (config, value) => config with { NumBeamGroups = value }),
        Number("diversity_penalty", config => config.DiversityPenalty, (config, value) => config with { DiversityPenalty = value }),
        GenerationKey.Of("early_stopping", config => config.EarlyStopping, (config, value) => config with { EarlyStopping = value }, ReadEarlyStopping, WriteEarlyStopping),
        Number("length_penalty", config => config.LengthPenalty, (config, value) => config with { LengthPenalty = value }),
        GenerationKey.Of(
            "force_words_ids", config => config.ForceWordsIds, (config, value) => config with { ForceWordsIds = value }, ReadForcedWords,
            (json, value) => WriteList(json, value!, phrase => WriteList(json, phrase, ids => WriteIds(json, ids)))),
        Number("penalty_alpha", config => config.PenaltyAlpha, (config, value) => config with { PenaltyAlpha = value }),
        Integer("prompt_lookup_num_tokens", config => config.PromptLookupNumTokens, (config, value) => config with { PromptLookupNumTokens = value }),
        Integer("max_matching_ngram_size", config => config.MaxMatchingNgramSize, (config, value) => config with { MaxMatchingNgramSize = value }),
        Integer("num_assistant_tokens", config => config.NumAssistantTokens, (config, value) => config with { NumAssistantTokens = value }),
        GenerationKey.Of(
            "num_assistant_tokens_schedule", config => config.NumAssistantTokensSchedule, (config, value) => config with { NumAssistantTokensSchedule = value },
            ReadSchedule, (json, value) => json.WriteStringValue(value switch { AssistantSchedule.Constant => "constant", AssistantSchedule.Heuristic => "heuristic", _ => "heuristic_transient" })),
        Number("assistant_confidence_threshold", config => config.AssistantConfidenceThreshold, (config, value) => config with { AssistantConfidenceThreshold = value }),
        Flag("use_cache", config => config.UseCache, (config, value) => config with { UseCache = value }),
        Integer("prefill_chunk_size", config => config.PrefillChunkSize, (config, value) => config with { PrefillChunkSize = value }),
        Number("temperature", config => config.Temperature, (config, value) => config with { Temperature = value }),
        Integer("top_k", config => config.TopK, (config, value) => config with { TopK = value }),
        Number("top_p", config => config.TopP, (config, value) => config with { TopP = value }),
        Number("min_p", config => config.MinP, (config, value) => config with { MinP = value }),
        Number("typical_p", config => config.TypicalP, (config, value) => config with { TypicalP = value }),
        Number("epsilon_cutoff", config => config.EpsilonCutoff, (config, value) => config with { EpsilonCutoff = value }),
        Number("eta_cutoff", config => config.EtaCutoff, (config, value) => config with { EtaCutoff = value }),
        Number("top_h", config => config.TopH, (config, value) => config with { TopH = value }),
        Number("repetition_penalty", config => config.RepetitionPenalty, (config, value) => config with { RepetitionPenalty = value }),
        Number("encoder_repetition_penalty", config => config.EncoderRepetitionPenalty, (config, value) => config with { EncoderRepetitionPenalty = value }),
        Integer("no_repeat_ngram_size", config => config.NoRepeatNgramSize, (config, value) => config with { NoRepeatNgramSize = value }),
        Integer("encoder_no_repeat_ngram_size", config => config.EncoderNoRepeatNgramSize, (config, value) => config with { EncoderNoRepeatNgramSize = value }),
        GenerationKey.Of(
            "bad_words_ids", config => config.BadWordsIds, (config, value) => config with { BadWordsIds = value },
            (json, key) => json.AnyOrNull(key) is { } value ? Items(json, key, value, ids => ReadIds(json, key, ids)) : null,
            (json, value) => WriteList(json, value!, ids => WriteIds(json, ids))),
        GenerationKey.Of(
            "sequence_bias", config => config.SequenceBias, (config, value) => config with { SequenceBias = value }, ReadBiases,
            (json, value) => WriteList(json, value!, bias =>
            {
                json.WriteStartArray();
                WriteIds(json, bias.Ids);
                json.WriteReal(bias.Bias);
                json.WriteEndArray();
            })),
        Integer("forced_bos_token_id", config => config.ForcedBosTokenId, (config, value) => config with { ForcedBosTokenId = value }),
        Ids("forced_eos_token_id", config => config.ForcedEosTokenIds, (config, value) => config with { ForcedEosTokenIds = value }),
        GenerationKey.Of(
            "exponential_decay_length_penalty", config => config.ExponentialDecayLengthPenalty, (config, value) => config with { ExponentialDecayLengthPenalty = value },
            ReadDecay, (json, value) =>
            {
                json.WriteStartArray();
                json.WriteNumberValue(value!.Start);
                json.WriteReal(value.Factor);
                json.WriteEndArray();
            }),
        Ids("suppress_tokens", config => config.SuppressTokens, (config, value) => config with { SuppressTokens = value }),
        Ids("begin_suppress_tokens", config => config.BeginSuppressTokens, (config, value) => config with { BeginSuppressTokens = value }),
        Flag("remove_invalid_values", config => config.RemoveInvalidValues, (config, value) => config with { RemoveInvalidValues = value }),
        Flag("renormalize_logits", config => config.RenormalizeLogits, (config, value) => config with { RenormalizeLogits = value }),
        Number("guidance_scale", config => config.GuidanceScale, (config, value) => config with { GuidanceScale = value }),
        GenerationKey.Of("watermarking_config", config => config.Watermark, (config, value) => config with { Watermark = value }, ReadWatermark, WriteWatermark),
        Flag("token_healing", config => config.TokenHealing, (config, value) => config with { TokenHealing = value }),
        Integer("num_return_sequences", config => config.NumReturnSequences, (config, value) => config with { NumReturnSequences = value }),
        Flag("output_scores", config => config.OutputScores, (config, value) => config with { OutputScores = value }),
        Flag("output_logits", config => config.OutputLogits, (config, value) => config with { OutputLogits = value }),
        Integer("pad_token_id", config => config.PadTokenId, (config, value) => config with { PadTokenId = value }),
        Integer("bos_token_id", config => config.BosTokenId, (config, value) => config with { BosTokenId = value }),
        Ids("eos_token_id", config => config.EosTokenIds, (config, value) => config with { EosTokenIds = value }),
    ];

    public static GenerationConfig Read(ConfigReader json)
    {
        GenerationConfig config = s_keys.Aggregate(new GenerationConfig(), (config, key) => key.Read(config, json));
        return config with { OtherKeys = [.. json.NotAsked()] };
    }

    public static void Write(GenerationConfig config, Utf8JsonWriter json)
    {
        foreach (GenerationKey key in s_keys) key.Write(config, json);
        foreach (var (name, value) in config.OtherKeys)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value);
        }
    }

    public static GenerationConfig Combine(GenerationConfig over, GenerationConfig under)
    {
        GenerationConfig config = s_keys.Aggregate(over, (config, key) => key.Inherit(config, under));
        IEnumerable<KeyValuePair<string, string>> others = under.OtherKeys.Where(pair => over.OtherKeys.All(own => own.Key != pair.Key));
        return config with { Seed = over.Seed ?? under.Seed, OtherKeys = [.. over.OtherKeys, .. others] };
    }

    private static GenerationKey Integer(string name, Func<GenerationConfig, int?> get, Func<GenerationConfig, int?, GenerationConfig> set) =>
        GenerationKey.Of(name, get, set, static (json, key) => json.IntOrNull(key), static (json, value) => json.WriteNumberValue(value!.Value));

    private static GenerationKey Number(string name, Func<GenerationConfig, double?> get, Func<GenerationConfig, double?, GenerationConfig> set) =>
        GenerationKey.Of(name, get, set, static (json, key) => json.DoubleOrNull(key), static (json, value) => json.WriteReal(value!.Value));

    private static GenerationKey Flag(string name, Func<GenerationConfig, bool?> get, Func<GenerationConfig, bool?, GenerationConfig> set) =>
        GenerationKey.Of<bool?>(
            name, get, set, static (json, key) => json.Has(key) ? json.Bool(key, false) : null, static (json, value) => json.WriteBooleanValue(value!.Value));

    /// <summary>An id, or several; one is written as a number.</summary>
    private static GenerationKey Ids(string name, Func<GenerationConfig, IReadOnlyList<int>?> get, Func<GenerationConfig, IReadOnlyList<int>?, GenerationConfig> set) =>
        GenerationKey.Of(name, get, set, static (json, key) => json.Has(key) ? json.Ids(key) : null, static (json, value) =>
        {
            if (value!.Count == 1) json.WriteNumberValue(value[0]);
            else WriteIds(json, value);
        });

    private static EarlyStopping? ReadEarlyStopping(ConfigReader json, string key) => json.AnyOrNull(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => EarlyStopping.WhenFull,
        { ValueKind: JsonValueKind.False } => EarlyStopping.Heuristic,
        { ValueKind: JsonValueKind.String } value when value.GetString() == "never" => EarlyStopping.Never,
        { } value => throw json.Wrong(key, value, "true, false or \"never\""),
    };

    private static void WriteEarlyStopping(Utf8JsonWriter json, EarlyStopping? value)
    {
        if (value == EarlyStopping.Never) json.WriteStringValue("never");
        else json.WriteBooleanValue(value == EarlyStopping.WhenFull);
    }

    private static AssistantSchedule? ReadSchedule(ConfigReader json, string key) => json.StringOrNull(key) switch
    {
        null => null,
        "constant" => AssistantSchedule.Constant,
        "heuristic" => AssistantSchedule.Heuristic,
        "heuristic_transient" => AssistantSchedule.HeuristicTransient,
        _ => throw json.Wrong(key, json.AnyOrNull(key)!.Value, "constant, heuristic or heuristic_transient"),
    };

    /// <summary>Phrases, each a list of ids or a list of alternatives.</summary>
    private static IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>>? ReadForcedWords(ConfigReader json, string key) =>
        json.AnyOrNull(key) is not { } value ? null : Items(json, key, value, phrase =>
            phrase.ValueKind == JsonValueKind.Array && phrase.GetArrayLength() > 0 && phrase[0].ValueKind == JsonValueKind.Array
                ? Items(json, key, phrase, ids => ReadIds(json, key, ids))
                : [ReadIds(json, key, phrase)]);

    private static IReadOnlyList<SequenceBias>? ReadBiases(ConfigReader json, string key) =>
        json.AnyOrNull(key) is not { } value ? null : Items(json, key, value, pair =>
            pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 && pair[1].ValueKind == JsonValueKind.Number
                ? new SequenceBias { Ids = ReadIds(json, key, pair[0]), Bias = pair[1].GetDouble() }
                : throw json.Wrong(key, value, "pairs of a list of ids and a number"));

    private static ExponentialDecay? ReadDecay(ConfigReader json, string key) =>
        json.AnyOrNull(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2 && value[0].ValueKind == JsonValueKind.Number && value[0].TryGetInt32(out int start)
            && value[1].ValueKind == JsonValueKind.Number
            ? new ExponentialDecay(start, value[1].GetDouble())
            : throw json.Wrong(key, value, "an array of a start and a factor");

    private static Watermark? ReadWatermark(ConfigReader json, string key)
    {
        if (json.ObjectOrNull(key) is not { } keys) return null;
        var defaults = new Watermark();
        return new Watermark
        {
            GreenlistRatio = keys.DoubleOrNull("greenlist_ratio") ?? defaults.GreenlistRatio,
            Bias = keys.DoubleOrNull("bias") ?? defaults.Bias,
            HashingKey = keys.IntOrNull("hashing_key") ?? defaults.HashingKey,
            ContextWidth = keys.IntOrNull("context_width") ?? defaults.ContextWidth,
            SelfHash = keys.StringOrNull("seeding_scheme") switch
            {
                null or "lefthash" => false,
                "selfhash" => true,
                _ => throw keys.Wrong("seeding_scheme", keys.AnyOrNull("seeding_scheme")!.Value, "lefthash or selfhash"),
            },
        };
    }

    private static void WriteWatermark(Utf8JsonWriter json, Watermark? value)
    {
        json.WriteStartObject();
        json.WriteReal("greenlist_ratio", value!.GreenlistRatio);
        json.WriteReal("bias", value.Bias);
        json.WriteNumber("hashing_key", value.HashingKey);
        json.WriteString("seeding_scheme", value.SelfHash ? "selfhash" : "lefthash");
        json.WriteNumber("context_width", value.ContextWidth);
        json.WriteEndObject();
    }

    private static IReadOnlyList<int> ReadIds(ConfigReader json, string key, JsonElement value) => Items(json, key, value, item =>
        item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) ? id : throw json.Wrong(key, value, "a list of ids"));

    private static T[] Items<T>(ConfigReader json, string key, JsonElement value, Func<JsonElement, T> read) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(read)] : throw json.Wrong(key, value, "a list");

    private static void WriteIds(Utf8JsonWriter json, IReadOnlyList<int> ids) => WriteList(json, ids, json.WriteNumberValue);

    private static void WriteList<T>(Utf8JsonWriter json, IReadOnlyList<T> items, Action<T> write)
    {
        json.WriteStartArray();
        foreach (T item in items) write(item);
        json.WriteEndArray();
    }
}
