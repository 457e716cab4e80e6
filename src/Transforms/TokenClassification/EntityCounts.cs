using System.Runtime.InteropServices;

namespace MLComponents.Transforms;

/// <summary>Counts entities by their type.</summary>
internal sealed class EntityCounts
{
    private readonly Dictionary<string, (long Right, long Found, long There)> _perType = new(StringComparer.Ordinal);

    /// <summary>Per type how many of those found are right, how many were found, and how many there are.</summary>
    public IReadOnlyDictionary<string, (long Right, long Found, long There)> PerType => _perType;

    /// <summary>Adds a text's entities; one that is named twice counts once, as in seqeval.</summary>
    /// <param name="there">Those that there are.</param>
    /// <param name="found">Those that were found.</param>
    public void Add(IEnumerable<TagSpan> there, IEnumerable<TagSpan> found)
    {
        HashSet<TagSpan> all = [.. there];
        foreach (TagSpan span in all) CollectionsMarshal.GetValueRefOrAddDefault(_perType, span.Type, out _).There++;
        foreach (TagSpan span in found.Distinct())
        {
            ref (long Right, long Found, long There) count = ref CollectionsMarshal.GetValueRefOrAddDefault(_perType, span.Type, out _);
            count.Found++;
            if (all.Contains(span)) count.Right++;
        }
    }
}
