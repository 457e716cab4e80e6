using Microsoft.ML;

/// <summary>Scores the rows of a file in batches, then one by one, and prints every bit of what comes out.</summary>
internal static class Scores
{
    public static void Print(MLContext ml, ITransformer model, DataViewSchema schema, string rows)
    {
        IDataView data = ml.Data.LoadFromTextFile<Row>(rows);
        foreach (Prediction prediction in ml.Data.CreateEnumerable<Prediction>(model.Transform(data), reuseRowObject: false))
            Console.WriteLine($"transform: {prediction}");

        using PredictionEngine<Row, Prediction> engine = ml.Model.CreatePredictionEngine<Row, Prediction>(model, schema);
        foreach (Row row in ml.Data.CreateEnumerable<Row>(data, reuseRowObject: false))
            Console.WriteLine($"engine: {engine.Predict(row)}");
    }

    /// <summary>Prints what is generated for the rows of a file, and every bit of how likely choices are.</summary>
    public static void PrintWritten(MLContext ml, ITransformer model, string rows)
    {
        foreach (WrittenRow row in ml.Data.CreateEnumerable<WrittenRow>(model.Transform(ml.Data.LoadFromTextFile<Row>(rows)), reuseRowObject: false))
            Console.WriteLine($"written: {Uri.EscapeDataString(row.Written)} {string.Join(' ', row.Score.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8")))}");
    }
}
