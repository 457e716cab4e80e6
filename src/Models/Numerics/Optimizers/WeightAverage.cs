using System.Runtime.Intrinsics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// An exponential moving average of weights, a ← δ a + (1 − δ) p, in float32: often better than the weights of the last step (Polyak and Juditsky 1992);
/// see torch.optim.swa_utils.get_ema_multi_avg_fn.
/// </summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly List<(Parameter Parameter, Tensor Average)> _pairs;
    private readonly float _decay;

    /// <summary>Begins with the weights as they are.</summary>
    /// <param name="parameters">Float32 or BFloat16.</param>
    /// <param name="decay">δ, from 0 to 1.</param>
    public WeightAverage(IEnumerable<Parameter> parameters, double decay)
    {
        if (!(decay is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(decay), decay, "Expected from 0 to 1.");
        using var noGradients = no_grad();
        _decay = (float)decay;
        _pairs = [.. parameters.Select(parameter => (parameter, parameter.to_type(ScalarType.Float32, copy: true).DetachFromDisposeScope()))];
    }

    /// <summary>The averages in the order of the parameters, live: what a checkpoint keeps.</summary>
    public IEnumerable<Tensor> Averages => _pairs.Select(pair => pair.Average);

    /// <summary>The memory of the averages, in bytes.</summary>
    public long StateBytes => Averages.Sum(average => average.NumberOfElements * sizeof(float));

    /// <summary>Takes in the weights of a step.</summary>
    public void Update()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var runs = new List<(nint Weight, nint Average, bool IsFloat32, long Length)>();
        foreach ((Parameter parameter, Tensor average) in _pairs)
        {
            if (parameter.device_type == DeviceType.CPU)
                runs.Add((TensorSpans.AddressOf(parameter), TensorSpans.AddressOf(average), parameter.dtype == ScalarType.Float32, parameter.NumberOfElements));
            else
                average.mul_(_decay).add_(parameter.to_type(ScalarType.Float32), 1 - _decay);
        }

        TensorSpans.ForEachChunk(runs, run => run.Length, (run, start, count) => Update(run.Weight, run.Average, run.IsFloat32, start, count));
    }

    /// <summary>Gives the parameters the averages, rounded to their type.</summary>
    public void CopyToParameters()
    {
        using var noGradients = no_grad();
        foreach ((Parameter parameter, Tensor average) in _pairs) parameter.copy_(average);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, Tensor average) in _pairs) average.Dispose();
        _pairs.Clear();
    }

    private unsafe void Update(nint weight, nint average, bool isFloat32, long start, int length)
    {
        float* mean = (float*)average + start;
        for (int i = 0; i < length; i += FloatLanes.Count)
        {
            int count = Math.Min(FloatLanes.Count, length - i);
            Vector256<float> value = isFloat32 ? FloatLanes.Load((float*)weight + start + i, count) : FloatLanes.Load((ushort*)weight + start + i, count);
            FloatLanes.Store((FloatLanes.Load(mean + i, count) * _decay) + (value * (1 - _decay)), mean + i, count);
        }
    }
}
