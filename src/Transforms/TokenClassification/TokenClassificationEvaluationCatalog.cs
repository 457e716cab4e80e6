using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>EvaluateTokenClassification</c> to <c>mlContext.MulticlassClassification</c>.</summary>
public static class TokenClassificationEvaluationCatalog
{
    /// <summary>Compares predicted tags with true ones, entity by entity, as seqeval does.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="data">Scored data; read once.</param>
    /// <param name="labelColumnName">The true tags: a vector of texts, or of keys whose values are texts, one per token. Tokens with a missing key are left out.</param>
    /// <param name="predictedLabelColumnName">The predicted tags, as many.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">A row has another number of predicted tags than of true ones.</exception>
    public static TokenClassificationMetrics EvaluateTokenClassification(
        this MulticlassClassificationCatalog catalog, IDataView data, string labelColumnName = "Label", string predictedLabelColumnName = "PredictedLabel")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        DataViewSchema.Column label = TagColumn.Find(data.Schema, labelColumnName), predicted = TagColumn.Find(data.Schema, predictedLabelColumnName);
        using DataViewRowCursor cursor = data.GetRowCursor([label, predicted]);
        Func<string?[]> actualTags = TagColumn.Reader(cursor, label), predictedTags = TagColumn.Reader(cursor, predicted);
        var evaluation = new TokenClassificationEvaluation();
        while (cursor.MoveNext())
        {
            string?[] actual = actualTags(), found = predictedTags();
            if (actual.Length != found.Length)
                throw new InvalidOperationException($"Row {cursor.Position} has {actual.Length} tags in column '{labelColumnName}' and {found.Length} in '{predictedLabelColumnName}'; expected one per token in both.");
            evaluation.Add(actual, found);
        }

        return evaluation.Result();
    }
}
