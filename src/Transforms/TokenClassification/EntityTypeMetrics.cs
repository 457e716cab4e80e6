namespace MLComponents.Transforms;

/// <summary>How well the entities of one type were found.</summary>
/// <param name="Type">The type.</param>
/// <param name="Precision">The part of the entities found that are right, 0 to 1; 0 where none was found.</param>
/// <param name="Recall">The part of the entities there are that were found, 0 to 1; 0 where there are none.</param>
/// <param name="F1">The harmonic mean of both, 0 to 1.</param>
/// <param name="Support">How many entities there are.</param>
public sealed record EntityTypeMetrics(string Type, double Precision, double Recall, double F1, long Support)
{
    internal static EntityTypeMetrics Of(string type, long right, long found, long there)
    {
        double precision = found == 0 ? 0 : (double)right / found, recall = there == 0 ? 0 : (double)right / there;
        return new(type, precision, recall, precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall), there);
    }
}
