using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Dynamic NTK scaling: θ grows with the sequence once it is longer than the model was made for.</summary>
/// <remarks>
/// As in the reference, the frequencies of the longest sequence so far stay in use until a sequence is shorter than the model's own length.
/// </remarks>
public sealed record DynamicRope : RopeParameters
{
    internal const string Name = "dynamic";

    /// <summary>How fast θ grows; at least 1.</summary>
    public required double Factor { get; init; }

    /// <inheritdoc/>
    public override string TypeName => Name;

    /// <inheritdoc/>
    internal override bool DependsOnLength => true;

    internal static DynamicRope Read(ConfigReader keys) => new() { Factor = keys.Double("factor") };

    /// <inheritdoc/>
    internal override int EffectiveLength(int sequenceLength, int lengthInUse, int maxPositions)
    {
        if (sequenceLength > lengthInUse) return sequenceLength;
        return sequenceLength < maxPositions ? maxPositions : lengthInUse;
    }

    /// <inheritdoc/>
    internal override float[] InverseFrequencies(int rotarySize, int maxPositions, int sequenceLength)
    {
        double length = Math.Max(sequenceLength, maxPositions);
        double growth = (Factor * length / maxPositions) - (Factor - 1);
        return Plain(Theta * Math.Pow(growth, rotarySize / (rotarySize - 2.0)), rotarySize);
    }

    /// <inheritdoc/>
    internal override void Validate(int rotarySize, int maxPositions, string source)
    {
        base.Validate(rotarySize, maxPositions, source);
        CheckFactor(Factor, 1, source);
        if (rotarySize <= 2) throw new FormatException($"{source}: dynamic rope needs more than 2 rotated elements; found {rotarySize}.");
    }

    /// <inheritdoc/>
    internal override void WriteKeys(Utf8JsonWriter json, bool isOldObject) => json.WriteReal("factor", Factor);
}
