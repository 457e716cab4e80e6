using Microsoft.ML;

namespace MLComponents.Trainers.Tests;

public class LabeledTextsTests
{
    private readonly MLContext _ml = new(seed: 1);

    private static LabeledTexts Of(IDataView data, string label = "Label", bool binary = false) => new(data, "Text", null, label, binary);

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public void A_split_is_complete_disjoint_and_repeats(double fraction)
    {
        LabeledTexts all = Of(Numbered(1000));
        static string[] Read(LabeledTexts texts) => [.. texts.Read().Select(row => row.Text.Text.ToString())];
        (LabeledTexts rest, LabeledTexts part) = all.Split(fraction, seed: 3);
        string[] first = Read(rest), second = Read(part);
        Assert.Equal(Read(all).Order(), first.Concat(second).Order());
        Assert.Empty(first.Intersect(second));
        Assert.InRange(second.Length / 1000.0, fraction - 0.05, fraction + 0.05);
        Assert.Equal(second, Read(part));
        Assert.Equal(second, Read(Of(Numbered(1000)).Split(fraction, seed: 3).Part));
        Assert.NotEqual(second, Read(all.Split(fraction, seed: 4).Part));
        Assert.Equal(part.Read().Select(row => row.Label), part.ReadLabels());
    }

    [Theory]
    [InlineData(typeof(byte))]
    [InlineData(typeof(ushort))]
    [InlineData(typeof(uint))]
    [InlineData(typeof(ulong))]
    public void Labels_come_from_keys_of_every_width(Type width)
    {
        LabeledTexts texts = Of(new KeyView(width, 3, [1, 3, 2]));
        Assert.Equal([0, 2, 1], texts.ReadLabels());
        Assert.Equal(["0", "1", "2"], texts.Labels.Names);
        Assert.Equal(["text 0", "text 1", "text 2"], texts.Read().Select(row => row.Text.Text.ToString()));
    }

    [Fact]
    public void Labels_come_from_truth_values() =>
        Assert.Equal(Tickets.Rows(20).Select(row => row.Urgent ? 1 : 0), Of(Tickets.View(_ml, 20), "Urgent", binary: true).ReadLabels());

    [Theory]
    [InlineData(typeof(byte), 0)]
    [InlineData(typeof(byte), 4)]
    [InlineData(typeof(ushort), 0)]
    [InlineData(typeof(ushort), 65535)]
    [InlineData(typeof(uint), 0)]
    [InlineData(typeof(uint), uint.MaxValue)]
    [InlineData(typeof(ulong), 0)]
    [InlineData(typeof(ulong), ulong.MaxValue)]
    public void A_missing_key_or_one_too_large_is_refused_with_its_row(Type width, ulong key)
    {
        LabeledTexts texts = Of(new KeyView(width, 3, [1, key]));
        var error = Assert.Throws<InvalidOperationException>(() => texts.ReadLabels().Count());
        Assert.Contains($"Row 1 has {(key == 0 ? "no label (a missing key)" : key > int.MaxValue ? "a key above 2147483647" : $"the key {key}")} in column 'Label'; expected one of its 3 keys", error.Message);
        Assert.Throws<InvalidOperationException>(() => texts.Read().Count());
    }

    private IDataView Numbered(int count) => Tickets.Keyed(_ml, _ml.Data.LoadFromEnumerable(
        Enumerable.Range(0, count).Select(i => new Tickets.Ticket { Text = $"row {i}", Queue = $"queue {(char)('A' + (i % 3))}" })));
}
