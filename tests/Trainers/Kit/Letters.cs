using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Trainers.Tests;

/// <summary>Short texts of the letters a, b and c: which of them occur, and how large the share of a is.</summary>
internal static class Letters
{
    internal sealed class Row
    {
        public string Text { get; set; } = "";

        [VectorType(3)]
        public bool[] Occurs { get; set; } = [];

        public string[] Found { get; set; } = [];

        public float Share { get; set; }
    }

    public static Row[] Rows(int count)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            char[] chosen = [.. "abc".Where(_ => random.NextDouble() < 0.5)];
            string text = string.Concat(Enumerable.Range(0, random.Next(4, 12)).Select(_ => chosen.Length == 0 ? '.' : chosen[random.Next(chosen.Length)]));
            return new Row
            {
                Text = text,
                Occurs = [.. "abc".Select(letter => text.Contains(letter))],
                Found = [.. "abc".Where(letter => text.Contains(letter)).Select(letter => $"letter {letter}")],
                Share = (float)text.Count(letter => letter == 'a') / text.Length,
            };
        })];
    }

    public static IDataView View(MLContext ml, int count) => ml.Data.LoadFromEnumerable(Rows(count));
}
