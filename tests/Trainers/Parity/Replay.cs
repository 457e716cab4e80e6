using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>A reference run repeated with the engine's update step.</summary>
internal sealed class Replay : IDisposable
{
    private readonly PretrainedModel _model;
    private readonly Trajectory _run;

    public Replay(Trajectory run, ScalarType dtype, bool masterWeights)
    {
        _run = run;
        _model = run.LoadModel(dtype);
        using SafetensorsFile tensors = run.OpenTensors();
        using var task = new HeadTask(_model, run.ClassWeights, run.LabelSmoothing);
        using FusedAdamW optimizer = run.CreateOptimizer(_model, masterWeights);
        var update = new UpdateStep<HeadRow>(task, optimizer, run.MaxGradientNorm);
        HeadRow[][] batches = Trajectory.Batches(tensors, "batch");
        Probe = Trajectory.Batches(tensors, "probe")[0];
        int[][] parts = [.. run.PartSizes.Select((size, part) => Enumerable.Range(run.PartSizes.Take(part).Sum(), size).ToArray())];

        ProbeBefore = Logits(task);
        _model.train();
        LearningRates rates = run.Rates();
        for (int step = 0; step < run.Steps; step++)
        {
            (double loss, double norm) = update.Differentiate(batches[step], parts, static () => { });
            update.Apply(rates.At(step), norm);
            Losses.Add(loss);
            Norms.Add(norm);
            Rates.Add(rates.At(step));
        }

        _model.eval();
        ProbeAfter = Logits(task);
    }

    public List<double> Losses { get; } = [];

    public List<double> Norms { get; } = [];

    public List<double> Rates { get; } = [];

    public HeadRow[] Probe { get; }

    public float[] ProbeBefore { get; }

    public float[] ProbeAfter { get; }

    public PretrainedModel Model => _model;

    /// <summary>The weights by the names that the run has for them.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => _model.named_parameters().ToDictionary(pair => _run.NameOf(pair.name), pair => (Tensor)pair.parameter);

    public void Dispose() => _model.Dispose();

    private float[] Logits(HeadTask task)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGradients = no_grad();
        return task.Logits(Probe).to(ScalarType.Float32).contiguous().data<float>().ToArray();
    }
}
