using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Plain rotary positions: <c>inverse frequency i = θ^(-2i / size)</c>.</summary>
public sealed record DefaultRope : RopeParameters
{
    internal const string Name = "default";

    /// <inheritdoc/>
    public override string TypeName => Name;

    /// <inheritdoc/>
    internal override float[] InverseFrequencies(int rotarySize, int maxPositions, int sequenceLength) => Plain(Theta, rotarySize);

    /// <inheritdoc/>
    internal override void WriteKeys(Utf8JsonWriter json, bool isOldObject)
    {
        // θ is all there is.
    }
}
