namespace MLComponents.Models;

/// <summary>An adapter that a model has; see <see cref="ModelAdapters"/>.</summary>
public sealed class LoraAdapter
{
    private readonly ModelAdapters _owner;
    private readonly AdapterConfig _config;
    private bool _isTrainable;

    internal LoraAdapter(ModelAdapters owner, string name, AdapterConfig config, AdapterWeights weights, bool isTrainable) =>
        (_owner, Name, _config, Weights, _isTrainable) = (owner, name, config, weights, isTrainable);

    /// <summary>Its name in the model; files do not know it.</summary>
    public string Name { get; }

    /// <summary>A copy of the options, with the target modules and the modules to save named that they mean in this model.</summary>
    public LoraOptions Options => _config.Options.Clone();

    /// <summary>PEFT's name of the head that it was made for (<c>CAUSAL_LM</c>, <c>SEQ_CLS</c>, <c>TOKEN_CLS</c>, <c>QUESTION_ANS</c>), or null if its file says none.</summary>
    public string? TaskType => _config.TaskType;

    /// <summary>Keys of its configuration and tensors of its file that have no effect here. The keys are kept and written again.</summary>
    public IReadOnlyList<string> Ignored => _config.Ignored;

    /// <summary>The number of its weights, those of modules that it trains whole included, biases of the base not.</summary>
    public long ParameterCount => Weights.Parameters().Sum(pair => pair.Value.NumberOfElements);

    /// <summary>Whether its weights are trained while it is active.</summary>
    public bool IsTrainable
    {
        get => _isTrainable;
        set
        {
            CheckPresent();
            _isTrainable = value;
            _owner.Refresh();
        }
    }

    internal AdapterWeights Weights { get; }

    /// <summary>Writes <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> as PEFT does. Each file appears only when it is complete.</summary>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <exception cref="InvalidOperationException">The adapter has been deleted, or it stores an embedding that holds adapters at the moment.</exception>
    public void Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        CheckSavable();
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, AdapterFile.FileName), SaveWeights);
        AtomicFile.Write(Path.Combine(folder, AdapterConfig.FileName), stream => stream.Write(ToJson()));
    }

    /// <summary>Writes the weights, as the content of an <c>adapter_model.safetensors</c>.</summary>
    /// <param name="stream">Where to; it need not seek and stays open.</param>
    /// <exception cref="InvalidOperationException">The adapter has been deleted, or it stores an embedding that holds adapters at the moment.</exception>
    public void SaveWeights(Stream stream)
    {
        CheckSavable();
        SafetensorsWriter.Write(stream, AdapterFile.Tensors(Weights));
    }

    /// <summary>The content of its <c>adapter_config.json</c>, UTF-8.</summary>
    public byte[] ToJson() => _config.ToJson();

    private void CheckPresent()
    {
        if (!_owner.Contains(this)) throw new InvalidOperationException($"The adapter '{Name}' has been deleted from its model.");
    }

    private void CheckSavable()
    {
        CheckPresent();
        if (_owner.Merged.Count > 0 && Weights.BaseValues.FirstOrDefault(value => !value.IsTrained) is { } embedding)
        {
            throw new InvalidOperationException(
                $"The adapter '{Name}' stores {embedding.Name}, which holds {string.Join(", ", _owner.Merged)} at the moment; call {nameof(ModelAdapters.Unmerge)} first.");
        }
    }
}
