using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Position interpolation (Chen et al. 2023): all frequencies divided by a factor.</summary>
public sealed record LinearRope : RopeParameters
{
    internal const string Name = "linear";

    /// <summary>How many times longer the texts may be; at least 1.</summary>
    public required double Factor { get; init; }

    /// <inheritdoc/>
    public override string TypeName => Name;

    internal static LinearRope Read(ConfigReader keys) => new() { Factor = keys.Double("factor") };

    /// <inheritdoc/>
    internal override float[] InverseFrequencies(int rotarySize, int maxPositions, int sequenceLength) =>
        [.. Plain(Theta, rotarySize).Select(frequency => frequency / (float)Factor)];

    /// <inheritdoc/>
    internal override void Validate(int rotarySize, int maxPositions, string source)
    {
        base.Validate(rotarySize, maxPositions, source);
        CheckFactor(Factor, 1, source);
    }

    /// <inheritdoc/>
    internal override void WriteKeys(Utf8JsonWriter json, bool isOldObject) => json.WriteReal("factor", Factor);
}
