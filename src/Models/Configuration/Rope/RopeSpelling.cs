using System.Text.Json;

namespace MLComponents.Models;

/// <summary>How a family's <c>config.json</c> spells its rotary embedding. Both the old keys and the new object <c>rope_parameters</c> are read and written.</summary>
internal sealed record RopeSpelling
{
    private const string Parameters = "rope_parameters";
    private const string Scaling = "rope_scaling";
    private const string NewTheta = "rope_theta";
    private const string NewFraction = "partial_rotary_factor";

    /// <summary>The old key of θ.</summary>
    public string Theta { get; init; } = NewTheta;

    /// <summary>The old key of the rotated part, or null if the family always rotates whole heads.</summary>
    public string? Fraction { get; init; }

    /// <summary>The rotated part where the file says nothing.</summary>
    public double DefaultFraction { get; init; } = 1;

    /// <summary>Kinds that mean <see cref="LongRope"/> in old files of the family.</summary>
    public IReadOnlyList<string> OldLongRope { get; init; } = ["su"];

    public ConfigKey AsKey() => new((config, json) => config with { Rope = Read(json) }, Write);

    public RopeParameters Read(ConfigReader json)
    {
        ConfigReader? parameters = json.ObjectOrNull(Parameters);

        // The old key wins where a file has both, as in the reference.
        ConfigReader? keys = json.ObjectOrNull(Scaling) ?? parameters;
        string type = keys?.StringOrNull("rope_type") ?? keys?.StringOrNull("type") ?? DefaultRope.Name;
        if (OldLongRope.Contains(type)) type = LongRope.Name;
        return RopeParameters.Read(type, keys, json) with
        {
            Theta = Find(NewTheta, Theta) ?? RopeParameters.DefaultTheta,
            RotaryFraction = Fraction is null ? 1 : Find(NewFraction, Fraction) ?? DefaultFraction,
        };

        double? Find(string name, string old)
        {
            double?[] found = [keys?.DoubleOrNull(name), parameters?.DoubleOrNull(name), json.DoubleOrNull(name), json.DoubleOrNull(old)];
            return found.FirstOrDefault(value => value is not null);
        }
    }

    private void Write(DecoderConfig config, Utf8JsonWriter json)
    {
        RopeParameters rope = config.Rope;
        json.WriteReal(Theta, rope.Theta);
        if (Fraction is not null) json.WriteReal(Fraction, rope.RotaryFraction);
        json.WriteStartObject(Parameters);
        json.WriteReal(NewTheta, rope.Theta);
        if (Fraction is not null) json.WriteReal(NewFraction, rope.RotaryFraction);
        json.WriteString("rope_type", rope.TypeName);
        rope.WriteKeys(json, isOldObject: false);
        json.WriteEndObject();
        rope.WriteOuterKeys(json);
        if (rope is DefaultRope)
        {
            json.WriteNull(Scaling);
            return;
        }

        json.WriteStartObject(Scaling);
        json.WriteString("type", rope.TypeName);
        rope.WriteKeys(json, isOldObject: true);
        json.WriteEndObject();
    }
}
