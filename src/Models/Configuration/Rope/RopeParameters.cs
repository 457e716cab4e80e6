using System.Text.Json;

namespace MLComponents.Models;

/// <summary>
/// A rotary position embedding (Su et al. 2021): element pairs of queries and keys are turned by
/// <c>position · inverse frequency</c>. Each kind says how it stretches the frequencies to longer texts, and checks itself.
/// </summary>
public abstract record RopeParameters
{
    internal const double DefaultTheta = 10000;

    /// <summary>The base of the frequencies, θ.</summary>
    public double Theta { get; init; } = DefaultTheta;

    /// <summary>The part of a head that is rotated, above 0 and at most 1.</summary>
    public double RotaryFraction { get; init; } = 1;

    /// <summary>The name of the kind, as <c>rope_type</c> spells it.</summary>
    public abstract string TypeName { get; }

    /// <summary>Whether the frequencies depend on how long the sequence is.</summary>
    internal virtual bool DependsOnLength => false;

    /// <summary>Reads what only one kind has.</summary>
    /// <param name="type">The name of the kind.</param>
    /// <param name="keys">The object that describes the rotary embedding; null if there is none.</param>
    /// <param name="config">The whole configuration.</param>
    /// <exception cref="NotSupportedException">There is no such kind.</exception>
    internal static RopeParameters Read(string type, ConfigReader? keys, ConfigReader config) => type switch
    {
        DefaultRope.Name => new DefaultRope(),
        LinearRope.Name => LinearRope.Read(keys!),
        DynamicRope.Name => DynamicRope.Read(keys!),
        YarnRope.Name => YarnRope.Read(keys!, config),
        LongRope.Name => LongRope.Read(keys!, config),
        Llama3Rope.Name => Llama3Rope.Read(keys!),
        _ => throw new NotSupportedException(
            $"{keys!.Source}: the rope type \"{type}\" is not known; known are {DefaultRope.Name}, {LinearRope.Name}, {DynamicRope.Name}, "
            + $"{YarnRope.Name}, {LongRope.Name} and {Llama3Rope.Name}."),
    };

    /// <summary>Refuses what cannot be computed.</summary>
    /// <param name="rotarySize">The elements of a head that are rotated.</param>
    /// <param name="maxPositions">The longest sequence the model was made for.</param>
    /// <param name="source">Where it was read, for messages.</param>
    /// <exception cref="FormatException">A value is out of range.</exception>
    internal virtual void Validate(int rotarySize, int maxPositions, string source)
    {
        if (!(Theta > 0)) throw new FormatException($"{source}: rope_theta is {Theta}; expected above 0.");
        if (!(RotaryFraction > 0 && RotaryFraction <= 1)) throw new FormatException($"{source}: the rotated part is {RotaryFraction}; expected above 0 and at most 1.");
        if (rotarySize < 2) throw new FormatException($"{source}: {rotarySize} elements of a head would be rotated; expected at least 2.");
    }

    /// <summary>The length to compute frequencies for, given that of this sequence and that of the frequencies in use.</summary>
    internal virtual int EffectiveLength(int sequenceLength, int lengthInUse, int maxPositions) => sequenceLength;

    /// <summary>One frequency for each pair of rotated elements, <c>[ceil(rotarySize / 2)]</c>.</summary>
    internal abstract float[] InverseFrequencies(int rotarySize, int maxPositions, int sequenceLength);

    /// <summary>What the cosines and sines are multiplied by.</summary>
    internal virtual double AttentionScaling(int maxPositions) => 1;

    /// <summary><c>θ^(-2i / rotarySize)</c>.</summary>
    internal static float[] Plain(double theta, int rotarySize)
    {
        var frequencies = new float[(rotarySize + 1) / 2];

        // Single precision, step by step: the reference's rounding, which long sequences magnify.
        for (int pair = 0; pair < frequencies.Length; pair++) frequencies[pair] = 1f / (float)Math.Pow(theta, 2f * pair / rotarySize);
        return frequencies;
    }

    /// <summary>Writes what only this kind has into the object that describes the rotary embedding.</summary>
    /// <param name="json">The writer, inside the object.</param>
    /// <param name="isOldObject">Whether it is the object that old readers know; some refuse it if it holds one key more than they expect.</param>
    internal abstract void WriteKeys(Utf8JsonWriter json, bool isOldObject);

    /// <summary>Writes what this kind has outside of that object.</summary>
    internal virtual void WriteOuterKeys(Utf8JsonWriter json)
    {
    }

    private protected static void CheckFactor(double factor, double least, string source)
    {
        if (!(factor >= least)) throw new FormatException($"{source}: the rope factor is {factor}; expected at least {least}.");
    }
}
