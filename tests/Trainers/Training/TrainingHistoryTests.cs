using System.Xml.Linq;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Trainers.Tests;

public class TrainingHistoryTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void It_is_what_progress_reports_as_rows_and_as_a_picture()
    {
        IDataView data = Tickets.View(_ml, 40);
        var history = new TrainingHistory();
        var recorder = new ProgressRecorder();
        _ml.Trainer(folder.Options(options => (options.History, options.Progress, options.ValidationSet) = (history, recorder, data))).Fit(data).Dispose();
        Assert.Equal(recorder.Steps, history.Steps);
        Assert.Equal(recorder.Validations, history.Validations);

        IDataView rows = history.ToDataView(_ml);
        Assert.Equal(recorder.All.Select(report => report.Loss), rows.GetColumn<double>("Loss"));
        Assert.Equal(recorder.All.Select(report => report.Step), rows.GetColumn<long>("Step"));
        Assert.Equal(recorder.All.Select(report => report.LearningRate), rows.GetColumn<double>("LearningRate"));
        VBuffer<ReadOnlyMemory<char>> names = default;
        rows.Schema["Validation"].GetSlotNames(ref names);
        Assert.Equal(["LogLoss", "MicroAccuracy", "MacroAccuracy"], names.DenseValues().Select(name => name.ToString()));
        double[][] metrics = [.. rows.GetColumn<double[]>("Validation")];
        Assert.Equal(recorder.All.Select(report => report.Validation?[ValidationMetric.LogLoss] ?? double.NaN), metrics.Select(row => row[0]));

        XElement picture = XDocument.Parse(history.ToSvg(width: 500, height: 200)).Root!;
        Assert.Equal(("500", "1000"), (picture.Attribute("width")!.Value, picture.Attribute("height")!.Value));
        Assert.Equal(["Loss", "Learning rate", "Validation: LogLoss", "Validation: MicroAccuracy", "Validation: MacroAccuracy"],
            picture.Elements(s_svg + "text").Where(text => text.Attribute("font-weight") is not null).Select(text => text.Value));
        string[] points = picture.Elements(s_svg + "polyline").First().Attribute("points")!.Value.Split(' ');
        Assert.Equal(6, points.Length);
        Assert.StartsWith("70.0,", points[0]);
        Assert.StartsWith("480.0,", points[^1]);
        Assert.Equal(6, picture.Elements(s_svg + "circle").Count());
    }

    [Fact]
    public void An_empty_one_is_an_empty_table_and_an_empty_picture()
    {
        var history = new TrainingHistory();
        Assert.Empty(history.ToDataView(_ml).GetColumn<double>("Loss"));
        Assert.Empty(XDocument.Parse(history.ToSvg()).Root!.Elements(s_svg + "polyline"));
    }
}
