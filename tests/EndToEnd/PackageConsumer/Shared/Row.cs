using Microsoft.ML.Data;

/// <summary>A row of rows.tsv.</summary>
internal sealed class Row
{
    [LoadColumn(0)]
    public string Product { get; set; } = "";

    [LoadColumn(1)]
    public float Price { get; set; }

    [LoadColumn(2)]
    public string Body { get; set; } = "";

    [LoadColumn(3)]
    public string Queue { get; set; } = "";
}
