using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;

namespace MLComponents.Trainers;

/// <summary>The time in which a model is trained: what is frozen, its adapter, its knobs; set back when disposed. An adapter stays.</summary>
internal sealed class TrainingMode : IDisposable
{
    private readonly PretrainedModel _model;
    private readonly bool _checkpointed;
    private readonly int _threads;

    /// <summary>Makes a model ready.</summary>
    /// <exception cref="ArgumentException">What is to be trained, or adapted, does not exist in the model.</exception>
    public TrainingMode(PretrainedModel model, FineTuningOptions options)
    {
        (_model, _checkpointed, _threads) = (model, model.GradientCheckpointing, torch.get_num_threads());
        if (options.ModelStorage == ModelStorage.AdapterOnly)
            model.AdapterBase = new AdapterBase(options.Model is { } folder ? Path.GetFullPath(folder) : null, AdapterBase.FingerprintOf(model));
        if (options.Adapter?.Clone() is { } adapter)
        {
            adapter.BaseModel ??= options.Model;
            model.Adapters.Add(adapter, seed: options.Seed);
        }
        else
        {
            options.Trained.ApplyTo(model);
        }

        model.GradientCheckpointing = options.GradientCheckpointing;
        model.EmbeddingNoise = options.NoiseAlpha;
        if (options.Threads is { } threads) torch.set_num_threads(threads);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        torch.set_num_threads(_threads);
        _model.EmbeddingNoise = 0;
        _model.GradientCheckpointing = _checkpointed;
        if (_model.Adapters.Count == 0) _model.Unfreeze("*");
        _model.eval();
    }
}
