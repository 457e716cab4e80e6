using System.Globalization;
using System.Text.Json;

namespace MLComponents.Models;

/// <summary>The keys of an <c>adapter_config.json</c> that no option stands for: what PEFT 0.21 writes where nothing was asked for.</summary>
internal static class AdapterConfigKeys
{
    /// <summary>The keys with their neutral values, as JSON.</summary>
    public static IReadOnlyDictionary<string, string> Neutral { get; } = new Dictionary<string, string>
    {
        ["alora_invocation_tokens"] = "null",
        ["arrow_config"] = "null",
        ["auto_mapping"] = "null",
        ["corda_config"] = "null",
        ["ensure_weight_tying"] = "false",
        ["eva_config"] = "null",
        ["fan_in_fan_out"] = "false",
        ["kasa_config"] = "null",
        ["layer_replication"] = "null",
        ["loftq_config"] = "{}",
        ["lora_bias"] = "false",
        ["lora_ga_config"] = "null",
        ["megatron_config"] = "null",
        ["megatron_core"] = "\"megatron.core\"",
        ["monteclora_config"] = "null",
        ["peft_version"] = "\"0.21.2\"",
        ["qalora_group_size"] = "16",
        ["revision"] = "null",
        ["target_parameters"] = "null",
        ["trainable_token_indices"] = "null",
        ["use_bdlora"] = "null",
        ["use_qalora"] = "false",
        ["velora_config"] = "null",
    };

    /// <summary>Keys that change what an adapter computes or which tensors it has, in ways that are not there; all neutral values of them are null, false or empty.</summary>
    private static readonly string[] s_unsupported =
    [
        "alora_invocation_tokens", "arrow_config", "enable_lora", "ensure_weight_tying", "kasa_config", "layer_replication", "lora_bias", "megatron_config",
        "monteclora_config", "target_parameters", "trainable_token_indices", "use_bdlora", "use_qalora", "velora_config",
    ];

    /// <summary>Keys that say something about how an adapter was made; it computes the same without.</summary>
    private static readonly string[] s_informative =
    [
        "auto_mapping", "corda_config", "eva_config", "loftq_config", "lora_ga_config", "megatron_core", "merge_weights", "peft_version", "qalora_group_size", "revision",
        "runtime_config",
    ];

    /// <summary>Refuses what is asked for and not supported.</summary>
    /// <exception cref="NotSupportedException">A key asks for it.</exception>
    public static void RefuseUnsupported(ConfigReader json)
    {
        foreach (string key in s_unsupported)
        {
            if (json.AnyOrNull(key) is not { } value || IsNeutral(value)) continue;
            throw new NotSupportedException(
                $"{json.Source}: {key} is {value.GetRawText()}; that kind of adapter is not supported. Merge it into its base with the library that made it, or train one without it.");
        }
    }

    /// <summary>Whether a key that no option stands for can be passed over without a word.</summary>
    public static bool IsSilent(string key, string value) =>
        s_informative.Contains(key) || value is "null" or "false" or "[]" or "{}" || Neutral.GetValueOrDefault(key) == value;

    /// <summary>A number as Python writes a float.</summary>
    public static string Float(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return text.AsSpan().IndexOfAny('.', 'e') < 0 ? text + ".0" : text;
    }

    /// <summary>A number as Python writes an integer, where it is one.</summary>
    public static string IntegerOrFloat(double value) =>
        value == Math.Truncate(value) && Math.Abs(value) < 1e15 ? value.ToString("F0", CultureInfo.InvariantCulture) : Float(value);

    private static bool IsNeutral(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };
}
