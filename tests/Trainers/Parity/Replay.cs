using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>A reference run repeated with the trainer's parts.</summary>
internal sealed class Replay : IDisposable
{
    private const double ClippingEpsilon = 1e-6;

    private readonly SequenceClassificationModel _model;
    private readonly Trajectory _run;

    public Replay(Trajectory run, ScalarType dtype, bool masterWeights)
    {
        _run = run;
        _model = run.LoadModel(dtype);
        using SafetensorsFile tensors = run.OpenTensors();
        using Tensor ids = tensors.Read("batch.input_ids"), mask = tensors.Read("batch.attention_mask"), labels = tensors.Read("batch.labels");
        using Tensor probeIds = tensors.Read("probe.input_ids"), probeMask = tensors.Read("probe.attention_mask");
        ClassifiedText[] probe = Trajectory.Rows(probeIds, probeMask, null);
        using FusedAdamW optimizer = run.CreateOptimizer(_model, masterWeights);
        using var loss = new ClassificationLoss(run.ClassWeights, CPU);

        ProbeBefore = Probe(probe);
        _model.train();
        LearningRates rates = run.Rates();
        for (int step = 0; step < run.Steps; step++)
        {
            using DisposeScope scope = NewDisposeScope();
            ClassifiedText[] batch = Trajectory.Rows(ids[step].contiguous(), mask[step].contiguous(), labels[step].contiguous());
            double sum = 0;
            int start = 0;
            foreach (int size in run.PartSizes)
            {
                ClassifiedText[] part = batch[start..(start += size)];
                using TokenBatch tokens = TokenBatch.Create(Array.ConvertAll(part, row => row.Ids), padId: 0);
                Tensor share = loss.Share(
                    _model.ForwardPooled(tokens.InputIds, tokens.LastPositions), tensor(Array.ConvertAll(part, row => (long)row.Label)), batch.Sum(row => loss.WeightOf(row.Label)));
                share.backward();
                sum += share.ToDouble();
            }

            double norm = optimizer.GradientNorm();
            optimizer.Step(rates.At(step), Math.Min(1, run.MaxGradientNorm / (norm + ClippingEpsilon)));
            optimizer.ZeroGradients();
            Losses.Add(sum);
            Norms.Add(norm);
            Rates.Add(rates.At(step));
        }

        _model.eval();
        ProbeAfter = Probe(probe);
    }

    public List<double> Losses { get; } = [];

    public List<double> Norms { get; } = [];

    public List<double> Rates { get; } = [];

    public float[] ProbeBefore { get; }

    public float[] ProbeAfter { get; }

    public SequenceClassificationModel Model => _model;

    /// <summary>The weights by the names that the run has for them.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => _model.named_parameters().ToDictionary(pair => _run.NameOf(pair.name), pair => (Tensor)pair.parameter);

    public void Dispose() => _model.Dispose();

    private float[] Probe(ClassifiedText[] rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGradients = no_grad();
        using TokenBatch tokens = TokenBatch.Create(Array.ConvertAll(rows, row => row.Ids), padId: 0);
        return _model.ForwardPooled(tokens.InputIds, tokens.LastPositions).to(ScalarType.Float32).data<float>().ToArray();
    }
}
