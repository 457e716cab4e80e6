using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML;

namespace MLComponents.Tests.Transforms;

/// <summary>Model files that earlier versions wrote, one per transformer and kind, with what those versions made of some rows (tests/Fixtures/model-files).</summary>
public class EarlierModelFileTests
{
    /// <summary>Half of the models are in bfloat16, which is rounded differently from processor to processor.</summary>
    private const double Tolerance = 0.02;

    private static readonly JsonNode s_fixture = JsonNode.Parse(File.ReadAllText(Path.Combine(TestPaths.Fixtures, "model-files", "expected.json")))!;

    public static IEnumerable<TheoryDataRow<string>> Names() => s_fixture["expected"]!.AsObject().Select(item => new TheoryDataRow<string>(item.Key));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_file_of_an_earlier_version_loads_and_gives_what_it_gave_then(string name)
    {
        var ml = new MLContext(seed: 1);
        ITransformer model = ml.Model.Load(Path.Combine(TestPaths.Fixtures, "model-files", name + ".model"), out _);
        IDataView scored = model.Transform(ml.Data.LoadFromEnumerable(s_fixture["rows"].Deserialize<Row[]>()!));
        foreach ((string column, JsonNode? expected) in s_fixture["expected"]![name]!.AsObject())
            Check(expected, JsonSerializer.SerializeToNode(EstimatorContract.Values(scored, column)), $"{name}, {column}");
        (model as IDisposable)?.Dispose();
    }

    private static void Check(JsonNode? expected, JsonNode? found, string place)
    {
        if (expected is JsonArray items)
        {
            Assert.Equal(items.Count, found!.AsArray().Count);
            for (int i = 0; i < items.Count; i++) Check(items[i], found[i], $"{place}[{i}]");
        }
        else if (expected!.GetValueKind() == JsonValueKind.Number)
        {
            double value = expected.GetValue<double>();
            Assert.True(Math.Abs(value - found!.GetValue<double>()) <= Tolerance * Math.Max(1, Math.Abs(value)), $"{place}: {value} expected, {found} found");
        }
        else
        {
            Assert.True(JsonNode.DeepEquals(expected, found), $"{place}: {expected} expected, {found} found");
        }
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public string Question { get; set; } = "";

        public string Context { get; set; } = "";
    }
}
