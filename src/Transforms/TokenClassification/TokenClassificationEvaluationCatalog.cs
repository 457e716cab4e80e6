using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>EvaluateTokenClassification</c> and <c>EvaluateEntities</c> to <c>mlContext.MulticlassClassification</c>.</summary>
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

    /// <summary>Compares the entities found in whole texts with the true ones: one is right where its label and its characters are exactly those.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="data">Scored data; read once.</param>
    /// <param name="labelColumnName">What the true entities are: a vector of texts, or of keys whose values are texts.</param>
    /// <param name="startColumnName">Where they begin: a vector of Int32, in UTF-16 characters.</param>
    /// <param name="lengthColumnName">How long they are: a vector of Int32.</param>
    /// <param name="entityColumnName">The column of the entities found; theirs are it with "Label", "Start" and "Length" behind.</param>
    /// <remarks>The words of a text are found as wholes: a true entity that is a part of a word is never right.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">A row's vectors differ in length, or an entity has no label.</exception>
    public static EntityMetrics EvaluateEntities(
        this MulticlassClassificationCatalog catalog, IDataView data, string labelColumnName = "Label", string startColumnName = "SpanStart", string lengthColumnName = "SpanLength",
        string entityColumnName = "Entity")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        var there = new SpanColumns(data.Schema, labelColumnName, startColumnName, lengthColumnName);
        var found = new SpanColumns(data.Schema, entityColumnName + "Label", entityColumnName + "Start", entityColumnName + "Length");
        using DataViewRowCursor cursor = data.GetRowCursor([.. there.All, .. found.All]);
        Func<TagSpan[]> readThere = there.Reader(cursor), readFound = found.Reader(cursor);
        var counts = new EntityCounts();
        while (cursor.MoveNext()) counts.Add(readThere(), readFound());
        return new EntityMetrics(counts);
    }
}
