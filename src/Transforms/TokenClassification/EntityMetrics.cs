namespace MLComponents.Transforms;

/// <summary>How well entities were found: an entity counts as found only where its type and its place are right.</summary>
/// <remarks>The numbers are those of seqeval's <c>classification_report</c> without a scheme, with 0 for what cannot be divided.</remarks>
public class EntityMetrics
{
    internal EntityMetrics(EntityCounts counts)
    {
        PerType = [.. counts.PerType.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => EntityTypeMetrics.Of(pair.Key, pair.Value.Right, pair.Value.Found, pair.Value.There))];
        var all = EntityTypeMetrics.Of("", counts.PerType.Values.Sum(count => count.Right), counts.PerType.Values.Sum(count => count.Found), counts.PerType.Values.Sum(count => count.There));
        (Precision, Recall, F1, Entities) = (all.Precision, all.Recall, all.F1, all.Support);
        MacroF1 = PerType.Count == 0 ? 0 : PerType.Average(type => type.F1);
        WeightedF1 = Entities == 0 ? 0 : PerType.Sum(type => type.F1 * type.Support) / Entities;
    }

    /// <summary>The part of the entities found that are right, over all types, 0 to 1.</summary>
    public double Precision { get; }

    /// <summary>The part of the entities there are that were found, over all types, 0 to 1.</summary>
    public double Recall { get; }

    /// <summary>The harmonic mean of <see cref="Precision"/> and <see cref="Recall"/>, 0 to 1 (seqeval's micro average).</summary>
    public double F1 { get; }

    /// <summary>The mean of the types' F1, 0 to 1.</summary>
    public double MacroF1 { get; }

    /// <summary>The mean of the types' F1, each weighted by how many entities of it there are, 0 to 1.</summary>
    public double WeightedF1 { get; }

    /// <summary>How many entities there are.</summary>
    public long Entities { get; }

    /// <summary>The types that there are or that were found, in ordinal order.</summary>
    public IReadOnlyList<EntityTypeMetrics> PerType { get; }
}
