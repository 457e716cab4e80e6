using System.Collections;
using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>Modules of a model: a list of names, a regular expression, or all linear layers.</summary>
/// <remarks>
/// A list is written <c>["q_proj", "v_proj"]</c>; a name stands for every module whose path is the name or ends with a dot and the name.
/// A string is a regular expression that the whole path of a module must match, or <c>"all-linear"</c>.
/// Paths are those of checkpoints, such as <c>model.layers.0.self_attn.q_proj</c>.
/// </remarks>
[CollectionBuilder(typeof(ModuleNames), nameof(Create))]
public sealed class ModuleNames : IEnumerable<string>, IEquatable<ModuleNames>
{
    private const string AllLinearPattern = "all-linear";

    private ModuleNames(string[] names, string? pattern) => (Names, Pattern) = (names, pattern);

    /// <summary>Every linear layer but the head.</summary>
    public static ModuleNames AllLinear { get; } = new([], AllLinearPattern);

    /// <summary>The names of a list; empty for a regular expression.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The regular expression, or <c>all-linear</c>; null for a list.</summary>
    public string? Pattern { get; }

    /// <summary>Whether all linear layers are meant.</summary>
    public bool IsAllLinear => AllLinearPattern.Equals(Pattern, StringComparison.OrdinalIgnoreCase);

    /// <summary>A list of names.</summary>
    /// <param name="names">Names or ends of paths.</param>
    public static ModuleNames Create(ReadOnlySpan<string> names) => new(names.ToArray(), null);

    /// <summary>Modules by a regular expression.</summary>
    /// <param name="pattern">What the whole path of a module must match; or <c>all-linear</c>.</param>
    public static ModuleNames FromString(string pattern)
    {
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        return new ModuleNames([], pattern);
    }

    /// <summary>Modules by a regular expression; see <see cref="FromString"/>.</summary>
    /// <param name="pattern">What the whole path of a module must match; or <c>all-linear</c>.</param>
    public static implicit operator ModuleNames(string pattern) => FromString(pattern);

    /// <inheritdoc/>
    public bool Equals(ModuleNames? other) => other is not null && Pattern == other.Pattern && Names.SequenceEqual(other.Names);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ModuleNames);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Pattern, Names.Count, Names.Count == 0 ? null : Names[0]);

    /// <inheritdoc/>
    public override string ToString() => Pattern is null ? $"[{string.Join(", ", Names)}]" : $"\"{Pattern}\"";

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => Names.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => Names.GetEnumerator();
}
