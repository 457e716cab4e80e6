namespace MLComponents.Models;

/// <summary>Divides scores by a temperature: below 1, likely tokens become likelier.</summary>
internal sealed class TemperatureProcessor : LogitsProcessor
{
    private readonly float _temperature;

    public TemperatureProcessor(double temperature)
    {
        if (!(temperature > 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(temperature), temperature, "Temperature must be above 0. For the likeliest token every time, leave DoSample false.");
        }

        _temperature = (float)temperature;
    }

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        foreach (ref float score in scores) score /= _temperature;
    }
}
