using System.Text.Json;

namespace MLComponents.Models;

/// <summary>YaRN (Peng et al. 2023): high frequencies stay, low ones are divided by a factor, those between are mixed.</summary>
public sealed record YarnRope : RopeParameters
{
    internal const string Name = "yarn";

    /// <summary>How many times longer the texts may be; at least 1.</summary>
    public required double Factor { get; init; }

    /// <summary>The length that the model was trained with before.</summary>
    public required int OriginalMaxPositions { get; init; }

    /// <summary>Frequencies that turn more often than this within the original length stay.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Frequencies that turn less often than this within the original length are divided.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>What cosines and sines are multiplied by, or null to compute it.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>With <see cref="MScaleAllDimensions"/>: the weight of the logarithm in the attention factor.</summary>
    public double? MScale { get; init; }

    /// <summary>See <see cref="MScale"/>.</summary>
    public double? MScaleAllDimensions { get; init; }

    /// <summary>Whether the borders between the frequencies are rounded to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <inheritdoc/>
    public override string TypeName => Name;

    internal static YarnRope Read(ConfigReader keys, ConfigReader config) => new()
    {
        Factor = keys.Double("factor"),
        OriginalMaxPositions = keys.IntOrNull("original_max_position_embeddings") ?? config.Int("max_position_embeddings"),
        BetaFast = keys.DoubleOrNull("beta_fast") ?? 32,
        BetaSlow = keys.DoubleOrNull("beta_slow") ?? 1,
        AttentionFactor = keys.DoubleOrNull("attention_factor"),
        MScale = keys.DoubleOrNull("mscale"),
        MScaleAllDimensions = keys.DoubleOrNull("mscale_all_dim"),
        Truncate = keys.Bool("truncate", true),
    };

    /// <inheritdoc/>
    internal override float[] InverseFrequencies(int rotarySize, int maxPositions, int sequenceLength)
    {
        double low = Dimension(BetaFast, rotarySize);
        double high = Dimension(BetaSlow, rotarySize);
        if (Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        low = Math.Max(low, 0);
        high = Math.Min(high, rotarySize - 1);
        if (low == high) high += 0.001;
        float[] frequencies = Plain(Theta, rotarySize);
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            // In the reference's order of single-precision operations.
            float kept = 1 - Math.Clamp((pair - (float)low) / (float)(high - low), 0, 1);
            float divided = 1 / ((float)Factor * (1 / frequencies[pair]));
            frequencies[pair] = (divided * (1 - kept)) + (frequencies[pair] * kept);
        }

        return frequencies;
    }

    /// <inheritdoc/>
    internal override double AttentionScaling(int maxPositions)
    {
        if (AttentionFactor is { } given) return given;
        if (MScale is { } scale && scale != 0 && MScaleAllDimensions is { } all && all != 0) return Growth(scale) / Growth(all);
        return Growth(1);

        double Growth(double weight) => Factor <= 1 ? 1 : (0.1 * weight * Math.Log(Factor)) + 1;
    }

    /// <inheritdoc/>
    internal override void Validate(int rotarySize, int maxPositions, string source)
    {
        base.Validate(rotarySize, maxPositions, source);
        CheckFactor(Factor, 1, source);
        if (OriginalMaxPositions < 1) throw new FormatException($"{source}: original_max_position_embeddings is {OriginalMaxPositions}; expected at least 1.");
        if (!(BetaSlow > 0 && BetaFast >= BetaSlow))
            throw new FormatException($"{source}: beta_fast is {BetaFast} and beta_slow {BetaSlow}; expected beta_fast >= beta_slow > 0.");
        if (Theta == 1) throw new FormatException($"{source}: rope_theta is 1; yarn divides by its logarithm.");
    }

    /// <inheritdoc/>
    internal override void WriteKeys(Utf8JsonWriter json, bool isOldObject)
    {
        json.WriteReal("factor", Factor);
        json.WriteNumber("original_max_position_embeddings", OriginalMaxPositions);
        json.WriteReal("beta_fast", BetaFast);
        json.WriteReal("beta_slow", BetaSlow);
        if (AttentionFactor is { } attention) json.WriteReal("attention_factor", attention);
        if (MScale is { } scale) json.WriteReal("mscale", scale);
        if (MScaleAllDimensions is { } all) json.WriteReal("mscale_all_dim", all);
        if (!Truncate) json.WriteBoolean("truncate", false);
    }

    /// <summary>The pair of elements that turns that many times within the original length.</summary>
    private double Dimension(double turns, int rotarySize) =>
        rotarySize * Math.Log(OriginalMaxPositions / (turns * 2 * Math.PI)) / (2 * Math.Log(Theta));
}
