using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>How many rows a data set has, in all and per label: what is checked before any work starts.</summary>
/// <param name="Rows">All rows.</param>
/// <param name="PerLabel">Rows per label.</param>
internal sealed record LabelCensus(long Rows, long[] PerLabel)
{
    /// <summary>Counts the rows of one pass.</summary>
    public static LabelCensus Take(LabeledTexts texts, CancellationToken cancellationToken)
    {
        var perLabel = new long[texts.Labels.Count];
        long rows = 0;
        foreach (int label in texts.ReadLabels())
        {
            if ((++rows & 0xFFF) == 0) cancellationToken.ThrowIfCancellationRequested();
            perLabel[label]++;
        }

        return new LabelCensus(rows, perLabel);
    }

    /// <summary>Throws when there is nothing to learn from.</summary>
    /// <exception cref="InvalidOperationException">No rows, or all of one label.</exception>
    public void CheckTrainable(LabeledTexts texts)
    {
        if (Rows == 0) throw new InvalidOperationException($"The training data has no rows; expected rows with the columns '{texts.TextColumnName}' and '{texts.LabelColumnName}'.");
        if (PerLabel.Count(rows => rows > 0) < 2)
            throw new InvalidOperationException(
                $"All {Rows} training rows have the label '{texts.Labels.Names[Array.FindIndex(PerLabel, rows => rows > 0)]}' in column '{texts.LabelColumnName}'; a classifier needs rows of at least two labels.");
    }

    /// <summary>What a row of each label counts in the loss, or null where all count the same.</summary>
    /// <exception cref="ArgumentException">The options name a label that does not exist.</exception>
    public float[]? Weights(SequenceClassificationOptions options, ClassLabels labels)
    {
        if (options.BalanceClasses)
        {
            int present = PerLabel.Count(rows => rows > 0);
            return Array.ConvertAll(PerLabel, rows => rows == 0 ? 0f : (float)((double)Rows / (present * rows)));
        }

        if (options.ClassWeights is not { Count: > 0 } named) return null;
        float[] weights = Enumerable.Repeat(1f, labels.Count).ToArray();
        foreach ((string name, double weight) in named)
        {
            int index = labels.Names.ToList().IndexOf(name);
            if (index < 0)
                throw new ArgumentException($"{nameof(options.ClassWeights)} names the label '{name}'; the labels are {string.Join(", ", labels.Names.Select(label => $"'{label}'"))}.", nameof(options));
            weights[index] = (float)weight;
        }

        return weights;
    }
}
