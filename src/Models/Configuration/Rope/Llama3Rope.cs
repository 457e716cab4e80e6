using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Llama 3's scaling: short waves stay, waves longer than the original length are divided, those between are mixed.</summary>
public sealed record Llama3Rope : RopeParameters
{
    internal const string Name = "llama3";

    /// <summary>How many times longer the texts may be; at least 1.</summary>
    public required double Factor { get; init; }

    /// <summary>Waves longer than the original length divided by this are divided.</summary>
    public required double LowFrequencyFactor { get; init; }

    /// <summary>Waves shorter than the original length divided by this stay.</summary>
    public required double HighFrequencyFactor { get; init; }

    /// <summary>The length that the model was trained with before.</summary>
    public required int OriginalMaxPositions { get; init; }

    /// <inheritdoc/>
    public override string TypeName => Name;

    internal static Llama3Rope Read(ConfigReader keys) => new()
    {
        Factor = keys.Double("factor"),
        LowFrequencyFactor = keys.Double("low_freq_factor"),
        HighFrequencyFactor = keys.Double("high_freq_factor"),
        OriginalMaxPositions = keys.Int("original_max_position_embeddings"),
    };

    /// <inheritdoc/>
    internal override float[] InverseFrequencies(int rotarySize, int maxPositions, int sequenceLength)
    {
        float[] frequencies = Plain(Theta, rotarySize);
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            double plain = frequencies[pair];
            double waves = OriginalMaxPositions * plain / (2 * Math.PI);
            double kept = Math.Clamp((waves - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor), 0, 1);
            frequencies[pair] = (float)(((1 - kept) * plain / Factor) + (kept * plain));
        }

        return frequencies;
    }

    /// <inheritdoc/>
    internal override void Validate(int rotarySize, int maxPositions, string source)
    {
        base.Validate(rotarySize, maxPositions, source);
        CheckFactor(Factor, 1, source);
        if (OriginalMaxPositions < 1) throw new FormatException($"{source}: original_max_position_embeddings is {OriginalMaxPositions}; expected at least 1.");
        if (!(LowFrequencyFactor > 0 && HighFrequencyFactor > LowFrequencyFactor))
        {
            throw new FormatException(
                $"{source}: low_freq_factor is {LowFrequencyFactor} and high_freq_factor {HighFrequencyFactor}; expected high > low > 0.");
        }
    }

    /// <inheritdoc/>
    internal override void WriteKeys(Utf8JsonWriter json, bool isOldObject)
    {
        json.WriteReal("factor", Factor);
        json.WriteReal("low_freq_factor", LowFrequencyFactor);
        json.WriteReal("high_freq_factor", HighFrequencyFactor);
        json.WriteNumber("original_max_position_embeddings", OriginalMaxPositions);
    }
}
