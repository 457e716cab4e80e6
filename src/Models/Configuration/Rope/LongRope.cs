using System.Text.Json;

namespace MLComponents.Models;

/// <summary>LongRoPE (Ding et al. 2024): one divisor for each frequency, with one list for short and one for long sequences.</summary>
public sealed record LongRope : RopeParameters
{
    internal const string Name = "longrope";

    private const string OriginalLengthKey = "original_max_position_embeddings";

    /// <summary>The divisors up to <see cref="OriginalMaxPositions"/>, one for each pair of rotated elements.</summary>
    public required IReadOnlyList<double> ShortFactors { get; init => field = new ValueList<double>(value); }

    /// <summary>The divisors beyond <see cref="OriginalMaxPositions"/>, one for each pair of rotated elements.</summary>
    public required IReadOnlyList<double> LongFactors { get; init => field = new ValueList<double>(value); }

    /// <summary>The length beyond which a sequence counts as long.</summary>
    public required int OriginalMaxPositions { get; init; }

    /// <summary>How many times longer the texts may be, or null to tell it from the lengths.</summary>
    public double? Factor { get; init; }

    /// <summary>What cosines and sines are multiplied by, or null to compute it.</summary>
    public double? AttentionFactor { get; init; }

    /// <inheritdoc/>
    public override string TypeName => Name;

    /// <inheritdoc/>
    internal override bool DependsOnLength => true;

    internal static LongRope Read(ConfigReader keys, ConfigReader config) => new()
    {
        ShortFactors = keys.DoublesOrNull("short_factor") ?? throw new FormatException($"{keys.Source}: the key short_factor is missing; expected an array of numbers."),
        LongFactors = keys.DoublesOrNull("long_factor") ?? throw new FormatException($"{keys.Source}: the key long_factor is missing; expected an array of numbers."),
        OriginalMaxPositions = config.IntOrNull(OriginalLengthKey) ?? keys.IntOrNull(OriginalLengthKey)
            ?? config.Int("max_position_embeddings"),
        Factor = keys.DoubleOrNull("factor"),
        AttentionFactor = keys.DoubleOrNull("attention_factor"),
    };

    /// <inheritdoc/>
    internal override float[] InverseFrequencies(int rotarySize, int maxPositions, int sequenceLength)
    {
        IReadOnlyList<double> factors = sequenceLength > OriginalMaxPositions ? LongFactors : ShortFactors;
        var frequencies = new float[(rotarySize + 1) / 2];
        for (int pair = 0; pair < frequencies.Length; pair++)
            frequencies[pair] = 1f / ((float)factors[pair] * (float)Math.Pow(Theta, 2f * pair / rotarySize));
        return frequencies;
    }

    /// <inheritdoc/>
    internal override double AttentionScaling(int maxPositions)
    {
        if (AttentionFactor is { } given) return given;
        double factor = Factor ?? (double)maxPositions / OriginalMaxPositions;
        return factor <= 1 ? 1 : Math.Sqrt(1 + (Math.Log(factor) / Math.Log(OriginalMaxPositions)));
    }

    /// <inheritdoc/>
    internal override void Validate(int rotarySize, int maxPositions, string source)
    {
        base.Validate(rotarySize, maxPositions, source);
        Check(ShortFactors, "short_factor");
        Check(LongFactors, "long_factor");
        if (OriginalMaxPositions < 2) throw new FormatException($"{source}: original_max_position_embeddings is {OriginalMaxPositions}; expected at least 2.");
        if (Factor is { } factor) CheckFactor(factor, 0, source);

        void Check(IReadOnlyList<double> factors, string name)
        {
            int expected = (rotarySize + 1) / 2;
            if (factors.Count != expected) throw new FormatException($"{source}: {name} has {factors.Count} numbers; expected {expected}.");
            if (factors.Any(value => !(value > 0))) throw new FormatException($"{source}: {name} holds a number that is not above 0.");
        }
    }

    /// <inheritdoc/>
    internal override void WriteOuterKeys(Utf8JsonWriter json) => json.WriteNumber(OriginalLengthKey, OriginalMaxPositions);

    /// <inheritdoc/>
    internal override void WriteKeys(Utf8JsonWriter json, bool isOldObject)
    {
        WriteList("short_factor", ShortFactors);
        WriteList("long_factor", LongFactors);
        if (!isOldObject) json.WriteNumber(OriginalLengthKey, OriginalMaxPositions);
        if (Factor is { } factor) json.WriteReal("factor", factor);
        if (AttentionFactor is { } attention) json.WriteReal("attention_factor", attention);

        void WriteList(string name, IReadOnlyList<double> values)
        {
            json.WriteStartArray(name);
            foreach (double value in values) json.WriteReal(value);
            json.WriteEndArray();
        }
    }
}
