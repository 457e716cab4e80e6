using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Trainers;
using MLComponents.Transforms;

// Trains with checkpoints and says each step; whoever started it may kill it at any moment and start it again.
// Arguments: the model's folder, the rows, the folder of the checkpoints, the folder of the result, "full" or "adapter".
(string model, string rows, string checkpoints, string result, bool hasAdapter) = (args[0], args[1], args[2], args[3], args[4] == "adapter");
var ml = new MLContext(seed: 1);
ml.Log += (_, message) =>
{
    if (message.Message.Contains("checkpoint", StringComparison.OrdinalIgnoreCase)) Console.WriteLine(message.Message);
};
IDataView data = ml.Data.LoadFromTextFile<Row>(rows);
data = ml.Transforms.Conversion.MapValueToKey("Label", nameof(Row.Queue), keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(data).Transform(data);
var options = new SequenceClassificationOptions
{
    Model = model,
    Epochs = 10,
    BatchSize = 4,
    LearningRate = 2e-3,
    NoiseAlpha = 5,
    ValidationFraction = 0.2,
    ValidationSteps = 7,
    CheckpointFolder = checkpoints,
    CheckpointSteps = 3,
    AverageDecay = hasAdapter ? null : 0.9,
    Optimizer = hasAdapter ? OptimizerKind.Lion : OptimizerKind.AdamW,
    WeightUpdate = hasAdapter ? WeightUpdate.StochasticRounding : WeightUpdate.MasterWeights,
    Adapter = hasAdapter ? new LoraOptions { Rank = 2, Dropout = 0.1 } : null,
    Progress = new Teller(),
};
using SequenceClassificationTransformer trained = ml.MulticlassClassification.Trainers.SequenceClassification("Label", nameof(Row.Text), options).Fit(data);
if (hasAdapter) trained.Model.Adapters.Single().Save(result);
else trained.Model.Save(result);
Console.WriteLine("done");

internal sealed class Row
{
    [LoadColumn(0)]
    public string Text { get; set; } = "";

    [LoadColumn(1)]
    public string Queue { get; set; } = "";
}

/// <summary>Says at once, on the training thread, what has been done.</summary>
internal sealed class Teller : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        if (value.Validation is null) Console.WriteLine($"step {value.Step}");
    }
}
