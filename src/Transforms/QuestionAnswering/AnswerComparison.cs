using System.Text.RegularExpressions;

namespace MLComponents.Transforms;

/// <summary>Compares answers as the official evaluation of SQuAD 1.1 and 2.0 does: lower case, without ASCII punctuation, articles and surplus white space.</summary>
internal static partial class AnswerComparison
{
    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    /// <summary>The words that count.</summary>
    public static string[] Words(string answer) =>
        Articles().Replace(string.Concat(answer.ToLowerInvariant().Where(c => !Punctuation.Contains(c, StringComparison.Ordinal))), " ")
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>1 where both have the same words in the same order, else 0.</summary>
    public static double ExactMatch(string[] predicted, string[] actual) => predicted.AsSpan().SequenceEqual(actual) ? 1 : 0;

    /// <summary>The harmonic mean of precision and recall of the words; where one side has none, 1 if neither has.</summary>
    public static double F1(string[] predicted, string[] actual)
    {
        if (predicted.Length == 0 || actual.Length == 0) return predicted.Length == actual.Length ? 1 : 0;
        Dictionary<string, int> left = actual.GroupBy(word => word, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        int same = 0;
        foreach (string word in predicted)
        {
            if (left.GetValueOrDefault(word) == 0) continue;
            left[word]--;
            same++;
        }

        return same == 0 ? 0 : 2.0 * same / (predicted.Length + actual.Length);
    }

    [GeneratedRegex(@"\b(a|an|the)\b")]
    private static partial Regex Articles();
}
