using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A decoder with a head. The names of its parameters are those of the family's checkpoints.</summary>
public abstract partial class PretrainedModel : nn.Module
{
    private protected PretrainedModel(DecoderConfig config, ModelHead head, WeightPlacement storage)
        : base(head.ToString())
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate(nameof(DecoderConfig));
        DecoderFamily family = DecoderFamily.Of(config.ModelType, nameof(DecoderConfig.ModelType));
        config.CheckThatItCanBeSaved();
        DType = storage.DType ?? config.DType ?? ScalarType.Float32;
        Config = config with { DType = DType };
        Head = head;
        Names = family.Names;
        Context = new DecoderContext(Config, Names, storage.Attention, DType, storage.Device ?? CPU);
        Decoder = new DecoderModel(Context);
        register_module(Names.BaseOf(head), Decoder);
        Adapters = new ModelAdapters(this);
    }

    /// <summary>What the model is.</summary>
    public DecoderConfig Config { get; private protected set; }

    /// <summary>What stands on top of the decoder.</summary>
    public ModelHead Head { get; }

    /// <summary>The element type of the weights.</summary>
    public ScalarType DType { get; }

    /// <summary>What became of the checkpoint's tensors, or null for a model that was made from a configuration alone.</summary>
    public CheckpointReport? Report { get; internal set; }

    /// <summary>The number of weights, adapters' included; tied ones count once.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.NumberOfElements);

    /// <summary>The low-rank adapters that the model computes with.</summary>
    public ModelAdapters Adapters { get; }

    /// <summary>The content of the <c>generation_config.json</c> that a causal language model was loaded with; it is saved as it was.</summary>
    internal byte[]? GenerationConfigJson { get; set; }

    /// <summary>The name of the folder that the model was read from, or null.</summary>
    internal string? FolderName { get; set; }

    /// <summary>The model that the adapters are to be stored without, or null where all is stored.</summary>
    internal AdapterBase? AdapterBase { get; set; }

    internal TensorNames Names { get; }

    internal DecoderModel Decoder { get; }

    private protected DecoderContext Context { get; }

    /// <summary>Writes a Hugging Face model folder, without adapters; see <see cref="ModelFolder.Save"/>.</summary>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="dtype">The element type to store; the model's own if null.</param>
    public void Save(string folder, ScalarType? dtype = null) => ModelFolder.Save(this, folder, dtype);

    /// <summary>Writes the weights as safetensors content, without adapters; with <see cref="DecoderConfig.ToJson"/> it is all that a model needs.</summary>
    /// <param name="stream">Where to; it need not seek and stays open.</param>
    /// <param name="dtype">The element type to store; the model's own if null.</param>
    /// <exception cref="InvalidOperationException">Adapters are merged, or one has changed biases: it would not be the base that is written.</exception>
    public void SaveWeights(Stream stream, ScalarType? dtype = null)
    {
        Adapters.CheckThatBaseIsItself();
        SafetensorsWriter.Write(stream, BaseParameters().Select(pair => new KeyValuePair<string, Tensor>(pair.Name, pair.Parameter)), dtype);
    }

    /// <summary>The parameters of the model itself, without those of adapters.</summary>
    internal IEnumerable<(string Name, Parameter Parameter)> BaseParameters() => named_parameters().Where(pair => !ParameterTree.IsInTree(pair.name));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // The base class releases the native modules, but not the parameters of modules that are written in .NET.
        if (disposing)
        {
            Adapters.Release();
            foreach (var parameter in parameters().ToArray()) parameter.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // The constructors register; field names mean nothing here.
    }

    /// <summary>Registers the head's layer under the family's name for it.</summary>
    private protected Linear RegisterHead(Linear head)
    {
        register_module(Names.HeadOf(Head), head);
        return head;
    }

    /// <summary>Registers a layer of the head's own.</summary>
    private protected Linear RegisterHead(int outputSize, bool hasBias) => RegisterHead(Context.Linear(Config.HiddenSize, outputSize, hasBias));

    /// <summary>Ends the construction of a model: keeps its weights out of dispose scopes and gives them values where no checkpoint will.</summary>
    private protected void Complete(WeightPlacement storage, bool initialize)
    {
        // They must outlive a dispose scope that the caller happens to be in.
        foreach (var parameter in parameters()) parameter.DetachFromDisposeScope();
        if (initialize) WeightInitializer.Initialize(this, Config, storage.Seed, static _ => true);
    }
}
