using System.Text.RegularExpressions;

namespace MLComponents.Models;

/// <summary>Which paths of modules names and regular expressions mean, by PEFT's rules.</summary>
internal static class ModulePattern
{
    /// <summary>A path is short: an expression that takes longer runs in circles.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>Whether a path is one of the names, or ends with a dot and one of them; or matches the expression as a whole.</summary>
    public static bool Matches(ModuleNames names, string path, string what, Func<string, Exception> fail) =>
        names.Pattern is { } pattern ? IsMatch($@"\A(?:{pattern})\z", path, pattern, what, fail) : names.Names.Any(name => IsSuffix(name, path));

    /// <summary>Whether a path is a name, or ends with a dot and the name.</summary>
    public static bool IsSuffix(string name, string path) =>
        path.EndsWith(name, StringComparison.Ordinal) && (path.Length == name.Length || path[path.Length - name.Length - 1] == '.');

    /// <summary>The value of the first pattern that the end of a path matches, from a dot on.</summary>
    public static T ValueOf<T>(OrderedDictionary<string, T> patterns, string path, T otherwise, string what, Func<string, Exception> fail)
    {
        foreach (var (pattern, value) in patterns)
            if (IsMatch($@"\A(?:.*\.)?(?:{pattern})\z", path, pattern, what, fail)) return value;
        return otherwise;
    }

    /// <summary>The number of the layer that a path lies in, or null outside of layers.</summary>
    /// <param name="path">The path.</param>
    /// <param name="lists">What lists of layers are called, as regular expressions; any name if empty.</param>
    /// <param name="fail">Makes the exception of a message.</param>
    public static int? LayerOf(string path, IReadOnlyList<string> lists, Func<string, Exception> fail)
    {
        foreach (string list in lists.Count == 0 ? [@"[^.]*"] : lists)
        {
            Match match = Run($@"\A.*\.(?:{list})\.(?<layer>\d{{1,9}})\.", path, list, nameof(LoraOptions.LayersPattern), fail);
            if (match.Success) return int.Parse(match.Groups["layer"].ValueSpan, provider: System.Globalization.CultureInfo.InvariantCulture);
        }

        return null;
    }

    private static bool IsMatch(string expression, string path, string pattern, string what, Func<string, Exception> fail) => Run(expression, path, pattern, what, fail).Success;

    private static Match Run(string expression, string path, string pattern, string what, Func<string, Exception> fail)
    {
        try
        {
            return Regex.Match(path, expression, RegexOptions.CultureInvariant, s_patience);
        }
        catch (RegexMatchTimeoutException)
        {
            throw fail($"{what}: the regular expression \"{pattern}\" runs in circles on \"{path}\"; expected one that ends within a second.");
        }
        catch (ArgumentException exception)
        {
            throw fail($"{what}: \"{pattern}\" is no regular expression that .NET reads: {exception.Message}");
        }
    }
}
