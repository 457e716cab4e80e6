using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// A causal language model's weights where they lie in memory: nothing is copied, so that what training changes in place counts at once. Or, if asked for, with
/// copies of the matrices in eight bits.
/// </summary>
internal sealed class FusedWeights
{
    private readonly CausalLanguageModel _model;
    private readonly WeightedModule[] _modules;
    private readonly (Parameter Parameter, nint Handle, nint Address)[] _parameters;

    private readonly Int8Matrices? _copies;

    private FusedWeights(CausalLanguageModel model, bool inEightBits)
    {
        _copies = inEightBits ? new Int8Matrices() : null;
        DecoderConfig config = model.Config;
        (TensorNames names, _model, Config) = (model.Names, model, config);
        Dictionary<string, nn.Module> modules = model.named_modules().ToDictionary(pair => pair.name, pair => pair.module);
        List<WeightedModule> used = [];
        List<(Parameter, nint, nint)> parameters = [];
        string root = names.BaseOf(model.Head);
        Rotary = model.Decoder.Rotary;
        Embedding = Address(Module($"{root}.{names.TokenEmbedding}").Weight);
        Layers = [.. Enumerable.Range(0, config.LayerCount).Select(Layer)];
        FinalNorm = Norm($"{root}.{names.FinalNorm}");
        Head = Kept(Matrix(names.HeadOf(model.Head)));
        (Queries, Keys, Values) = Places(config);
        (_modules, _parameters) = ([.. used], [.. parameters]);

        FusedLayer Layer(int index)
        {
            string layer = $"{root}.{names.Layers}.{index}", attention = $"{layer}.{names.Attention}", feedForward = $"{layer}.{names.FeedForward}";
            FusedNorm inputNorm = Norm($"{layer}.{names.InputNorm}");
            FusedMatrix? stacked = config.FeedForward == FeedForwardKind.StackedGated ? Matrix($"{feedForward}.{names.GateUp}") : null;
            return new FusedLayer
            {
                InputNorm = inputNorm,
                SecondNorm = config.Residual == ResidualKind.ParallelOneNorm ? inputNorm : Norm($"{layer}.{names.PostAttentionNorm}"),
                QueryKeyValue = config.QueryKeyValueLayout == QueryKeyValueLayout.Separate
                    ? [Kept(Matrix($"{attention}.{names.Query}")), Kept(Matrix($"{attention}.{names.Key}")), Kept(Matrix($"{attention}.{names.Value}"))]
                    : [Kept(Matrix($"{attention}.{names.QueryKeyValue}"))],
                QueryNorm = config.QueryKeyNorm ? Norm($"{attention}.{names.QueryNorm}") : null,
                KeyNorm = config.QueryKeyNorm ? Norm($"{attention}.{names.KeyNorm}") : null,
                AttentionOutput = Kept(Matrix($"{attention}.{names.AttentionOutput}")),
                Activated = Kept(stacked is { } both ? Part(both, 0) : Matrix($"{feedForward}.{(config.FeedForward == FeedForwardKind.Plain ? names.Up : names.Gate)}")),
                Factor = stacked is { } two ? Kept(Part(two, 1)) : config.FeedForward == FeedForwardKind.Plain ? null : Kept(Matrix($"{feedForward}.{names.Up}")),
                Down = Kept(Matrix($"{feedForward}.{names.Down}")),
            };
        }

        FusedMatrix Kept(FusedMatrix matrix) => _copies?.Copy(matrix, model.DType) ?? matrix;

        FusedMatrix Part(FusedMatrix stacked, int part)
        {
            nint size = model.DType.ElementSize(), outputs = stacked.Outputs / 2;
            return stacked with
            {
                Weights = stacked.Weights + (part * outputs * stacked.InWidth * size),
                Bias = stacked.Bias == 0 ? 0 : stacked.Bias + (part * outputs * size),
                Outputs = (int)outputs,
            };
        }

        FusedMatrix Matrix(string name)
        {
            WeightedModule module = Module(name);
            return new FusedMatrix(Address(module.Weight), module.Bias is { } bias ? Address(bias) : 0, (int)module.Weight.shape[0], (int)module.Weight.shape[1]);
        }

        FusedNorm Norm(string name)
        {
            WeightedModule module = Module(name);
            return new FusedNorm(Address(module.Weight), module.Bias is { } bias ? Address(bias) : 0);
        }

        WeightedModule Module(string name)
        {
            var module = (WeightedModule)modules[name];
            used.Add(module);
            return module;
        }

        nint Address(Parameter parameter)
        {
            nint address = TensorSpans.AddressOf(parameter);
            parameters.Add((parameter, parameter.Handle, address));
            return address;
        }
    }

    /// <summary>The configuration at the time.</summary>
    public DecoderConfig Config { get; }

    /// <summary>The element type of all weights.</summary>
    public ScalarType DType => _model.DType;

    /// <summary>Whether the matrices are copies in eight bits.</summary>
    public bool AreInEightBits => _copies is not null;

    /// <summary>The frequencies of positions.</summary>
    public RotaryEmbedding Rotary { get; }

    /// <summary><c>[vocabulary, hidden]</c>.</summary>
    public nint Embedding { get; }

    /// <summary>The layers.</summary>
    public FusedLayer[] Layers { get; }

    /// <summary>The norm behind the layers.</summary>
    public FusedNorm FinalNorm { get; }

    /// <summary>The projection to the vocabulary.</summary>
    public FusedMatrix Head { get; }

    /// <summary>Where queries lie in what the projections give.</summary>
    public HeadPlaces Queries { get; }

    /// <summary>Where keys lie.</summary>
    public HeadPlaces Keys { get; }

    /// <summary>Where values lie.</summary>
    public HeadPlaces Values { get; }

    /// <summary>Why the model cannot be computed from its bare weights, or null.</summary>
    public static string? WhyNot(CausalLanguageModel model) =>
        model.Decoder.EmbeddingWeight.device_type != DeviceType.CPU ? "it is not on the CPU"
        : model.DType is not (ScalarType.Float32 or ScalarType.BFloat16) ? $"its weights are {model.DType}"
        : !model.Config.IsCausal ? "its tokens see those behind them"
        : model.modules().OfType<WeightedModule>().Any(module => module.Adapted is not null) ? "adapters are in force that are not merged"
        : null;

    /// <summary>The weights of a model that can be computed from them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="inEightBits">Whether to copy the matrices, with eight bits for a weight. They do not follow when the model is trained.</param>
    public static FusedWeights Of(CausalLanguageModel model, bool inEightBits) => new(model, inEightBits);

    /// <summary>Whether the weights are still where they were, and all that is computed with.</summary>
    public bool AreCurrent()
    {
        if (!ReferenceEquals(_model.Config, Config) || AreAdapted()) return false;
        foreach (var (parameter, handle, address) in _parameters)
            if (parameter.IsInvalid || parameter.Handle != handle || TensorSpans.AddressOf(parameter) != address) return false;
        return true;
    }

    /// <summary>Refuses to compute with weights that are gone. Allocates nothing.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <exception cref="InvalidOperationException">The model has other weights than when the rows began.</exception>
    public void CheckThatTheyAreThere()
    {
        ObjectDisposedException.ThrowIf(_model.Decoder.EmbeddingWeight.IsInvalid, _model);
        if (!ReferenceEquals(_model.Config, Config) || AreAdapted())
            throw new InvalidOperationException("The model's vocabulary or adapters were changed while rows of tokens were being read; begin them anew.");
    }

    private bool AreAdapted()
    {
        foreach (WeightedModule module in _modules)
            if (module.Adapted is not null) return true;
        return false;
    }

    private static (HeadPlaces Queries, HeadPlaces Keys, HeadPlaces Values) Places(DecoderConfig config)
    {
        int size = config.HeadSize, queries = config.HeadCount * size, keys = config.KeyValueHeadCount * size;
        return config.QueryKeyValueLayout == QueryKeyValueLayout.Interleaved
            ? (new(0, 3 * size), new(size, 3 * size), new(2 * size, 3 * size))
            : (new(0, size), new(queries, size), new(queries + keys, size));
    }
}
