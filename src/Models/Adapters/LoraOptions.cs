namespace MLComponents.Models;

/// <summary>How a model is adapted by low-rank matrices. Names, defaults and meaning are those of PEFT's <c>LoraConfig</c>.</summary>
/// <remarks>
/// An adapted linear layer computes <c>W x + b + (alpha / rank) B A dropout(x)</c>, with A <c>[rank, in]</c> and B <c>[out, rank]</c> trained and W frozen
/// (Hu et al. 2021, https://arxiv.org/abs/2106.09685).
/// </remarks>
public sealed class LoraOptions
{
    internal const int LargestRank = 65536;

    /// <summary>The rank of the matrices, 1 to 65536. PEFT's <c>r</c>.</summary>
    public int Rank { get; set; } = 8;

    /// <summary>What the product is multiplied with, together with the rank: by alpha / rank. Any finite number. PEFT's <c>lora_alpha</c>.</summary>
    public double Alpha { get; set; } = 8;

    /// <summary>The part of a layer's input that is dropped before A, in training: 0 to less than 1. Embeddings have none. PEFT's <c>lora_dropout</c>.</summary>
    public double Dropout { get; set; }

    /// <summary>The linear layers and embeddings to adapt; null for what the family usually adapts, where it has a custom.</summary>
    public ModuleNames? TargetModules { get; set; }

    /// <summary>Modules that are left out, whatever <see cref="TargetModules"/> says.</summary>
    public ModuleNames? ExcludeModules { get; set; }

    /// <summary>The layers to adapt, counted from 0; null or empty for all. Modules outside layers are then left out. Only with a list of target modules.</summary>
    public IReadOnlyList<int>? LayersToTransform { get; set; }

    /// <summary>What the list of layers is called, where <see cref="LayersToTransform"/> counts in one list of several; null or empty for any.</summary>
    public IReadOnlyList<string>? LayersPattern { get; set; }

    /// <summary>Other ranks for some modules, by a regular expression that the end of the module's path must match; the first that matches counts.</summary>
    public OrderedDictionary<string, int> RankPattern { get; set; } = [];

    /// <summary>Other alphas for some modules, as in <see cref="RankPattern"/>.</summary>
    public OrderedDictionary<string, double> AlphaPattern { get; set; } = [];

    /// <summary>Whether to multiply by alpha / √rank instead (Kalajdzievski 2023, https://arxiv.org/abs/2312.03732). PEFT's <c>use_rslora</c>.</summary>
    public bool UseRankStabilized { get; set; }

    /// <summary>Whether to train the magnitude of each row apart from its direction (Liu et al. 2024, https://arxiv.org/abs/2402.09353).</summary>
    public bool UseDora { get; set; }

    /// <summary>Which biases of the base are trained, too. They are changed in place, as in PEFT: disabling the adapter keeps them, deleting it brings the old ones back.</summary>
    public LoraBias Bias { get; set; }

    /// <summary>
    /// Modules that are trained whole and stored with the adapter, each in a copy of its own; a name stands for every module whose path ends with it.
    /// The head of a classifier and of question answering is always added.
    /// </summary>
    public IReadOnlyList<string>? ModulesToSave { get; set; }

    /// <summary>What the matrices of a fresh adapter hold. PEFT's <c>init_lora_weights</c>.</summary>
    public LoraInitialization Initialization { get; set; }

    /// <summary>The base model's name or folder, for information only. PEFT's <c>base_model_name_or_path</c>.</summary>
    public string? BaseModel { get; set; }

    /// <summary>Reads the options of an adapter from its folder.</summary>
    /// <param name="folder">A folder with an <c>adapter_config.json</c>.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="FormatException">It is broken or contradicts itself.</exception>
    /// <exception cref="NotSupportedException">It asks for something that is not supported.</exception>
    public static LoraOptions Load(string folder) => AdapterConfig.Load(folder).Options;

    internal LoraOptions Clone()
    {
        var copy = (LoraOptions)MemberwiseClone();
        copy.RankPattern = new(RankPattern);
        copy.AlphaPattern = new(AlphaPattern);
        return copy;
    }

    /// <summary>What one of the modules is multiplied with.</summary>
    internal static double Scaling(double alpha, int rank, bool isRankStabilized) => alpha / (isRankStabilized ? Math.Sqrt(rank) : rank);

    /// <summary>Checks values and their combinations.</summary>
    /// <param name="fail">Makes the exception of a message.</param>
    internal void Validate(Func<string, Exception> fail)
    {
        CheckRank(nameof(Rank), Rank);
        foreach (var (pattern, rank) in RankPattern) CheckRank($"{nameof(RankPattern)} of \"{pattern}\"", rank);
        CheckFinite(nameof(Alpha), Alpha);
        foreach (var (pattern, alpha) in AlphaPattern) CheckFinite($"{nameof(AlphaPattern)} of \"{pattern}\"", alpha);
        if (!(Dropout >= 0 && Dropout < 1)) throw fail($"{nameof(Dropout)} is {Dropout}; expected from 0 to less than 1.");
        if (!Enum.IsDefined(Bias)) throw fail($"{nameof(Bias)} is {Bias}; expected {string.Join(", ", Enum.GetNames<LoraBias>())}.");
        if (!Enum.IsDefined(Initialization)) throw fail($"{nameof(Initialization)} is {Initialization}; expected {string.Join(", ", Enum.GetNames<LoraInitialization>())}.");
        CheckNames(nameof(TargetModules), TargetModules);
        CheckNames(nameof(ExcludeModules), ExcludeModules);
        CheckNames(nameof(ModulesToSave), ModulesToSave);
        CheckNames(nameof(LayersPattern), LayersPattern);
        if (LayersToTransform?.Any(layer => layer < 0) == true) throw fail($"{nameof(LayersToTransform)} holds {LayersToTransform.Min()}; expected numbers from 0 on.");
        bool choosesLayers = LayersToTransform is { Count: > 0 };
        if (choosesLayers && TargetModules?.Pattern is { } target)
            throw fail($"{nameof(LayersToTransform)} is given with {nameof(TargetModules)} \"{target}\"; expected a list of names with it. Put the layers into the expression.");
        if (!choosesLayers && LayersPattern is { Count: > 0 })
            throw fail($"{nameof(LayersPattern)} is given without {nameof(LayersToTransform)}; expected both or neither.");

        void CheckRank(string what, int rank)
        {
            if (rank is < 1 or > LargestRank) throw fail($"{what} is {rank}; expected from 1 to {LargestRank}.");
        }

        void CheckFinite(string what, double value)
        {
            if (!double.IsFinite(value)) throw fail($"{what} is {value}; expected a finite number.");
        }

        void CheckNames(string what, IEnumerable<string>? names)
        {
            if (names?.Any(string.IsNullOrEmpty) == true) throw fail($"{what} holds an empty name; expected names of modules.");
        }
    }
}
