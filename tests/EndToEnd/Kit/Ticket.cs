using Microsoft.ML.Data;

namespace MLComponents.EndToEnd.Tests;

/// <summary>A row that a keyword decides, in a text of varied length.</summary>
internal sealed class Ticket
{
    private static readonly (string Queue, string[] Words)[] s_queues =
    [
        ("Billing", ["invoice", "refund", "charged"]),
        ("Delivery", ["parcel", "courier", "late"]),
        ("Repair", ["broken", "screen", "noise"]),
    ];

    private static readonly string[] s_fillers = ["hello", "since Monday", "please help", "my order", "again", "thank you"];

    [LoadColumn(0)]
    public string Product { get; set; } = "";

    [LoadColumn(1)]
    public float Price { get; set; }

    [LoadColumn(2)]
    public string Body { get; set; } = "";

    [LoadColumn(3)]
    public string Queue { get; set; } = "";

    /// <summary>Rows that are the same every time.</summary>
    public static Ticket[] Rows(int count)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(row =>
        {
            (string queue, string[] words) = s_queues[row % s_queues.Length];
            string[] body = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => s_fillers[random.Next(s_fillers.Length)]), words[random.Next(words.Length)]];
            random.Shuffle(body);
            return new Ticket { Product = random.Next(2) == 0 ? "Phone" : "", Price = row % 4 == 0 ? float.NaN : 9.5f, Body = string.Join(' ', body), Queue = queue };
        })];
    }
}
