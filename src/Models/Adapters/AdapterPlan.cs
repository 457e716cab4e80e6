using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>What an adapter touches in a model.</summary>
/// <param name="Options">The options, with the modules named that they mean in this model.</param>
/// <param name="Targets">The modules that get matrices.</param>
/// <param name="Copies">The modules that are trained whole.</param>
/// <param name="Biases">The modules whose bias is trained.</param>
internal sealed record AdapterPlan(
    LoraOptions Options, IReadOnlyList<LoraTarget> Targets, IReadOnlyList<NamedModule> Copies, IReadOnlyList<NamedModule> Biases)
{
    /// <summary>From so many linear layers on, PEFT writes the shortest ends of their paths that mean the same.</summary>
    private const int ManyTargets = 20;

    /// <summary>What PEFT saves the base's weights of, if it is adapted.</summary>
    private static readonly string[] s_embeddingNames = ["embed_tokens", "lm_head"];

    /// <summary>Names of heads that are always asked for together, of which a model has one.</summary>
    private static readonly string[] s_headNames = ["classifier", "score", "qa_outputs"];

    /// <summary>Finds the modules.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">What to adapt.</param>
    /// <param name="taskType">What the adapter is for: decides which heads are saved with it.</param>
    /// <param name="fail">Makes the exception of a message.</param>
    public static AdapterPlan Create(PretrainedModel model, LoraOptions options, string? taskType, Func<string, Exception> fail)
    {
        options.Validate(fail);
        options = options.Clone();

        // A tied head has no matrix of its own to adapt.
        (string Path, nn.Module Module)[] modules = [.. Modules(model, "").Where(pair => pair.Module is not Linear { OwnsWeight: false })];
        NamedModule[] parts = [.. modules.Where(pair => pair.Module is WeightedModule).Select(pair => new NamedModule(pair.Path, (WeightedModule)pair.Module))];
        string[] toSave = WithHead(taskType, options.ModulesToSave);
        options.ModulesToSave = toSave.Length == 0 ? null : toSave;
        options.TargetModules = TargetsOf(model, options, parts, modules, fail);

        string[] saved = [.. modules.Select(pair => pair.Path).Where(path => toSave.Any(name => path.EndsWith(name, StringComparison.Ordinal)))];
        NamedModule[] copies = [.. parts.Where(part => saved.Any(path => part.Path == path || part.Path.StartsWith(path + ".", StringComparison.Ordinal)))];
        CheckSaved(options, toSave, saved, parts, fail);

        List<LoraTarget> targets = [];
        List<string> unsuited = [];
        foreach (var (path, module) in modules)
        {
            if (!IsTarget(options, path, toSave, fail)) continue;
            if (module is not (Linear or TokenEmbedding))
            {
                unsuited.Add(path);
                continue;
            }

            int rank = ModulePattern.ValueOf(options.RankPattern, path, options.Rank, nameof(options.RankPattern), fail);
            double alpha = ModulePattern.ValueOf(options.AlphaPattern, path, options.Alpha, nameof(options.AlphaPattern), fail);
            targets.Add(new LoraTarget(path, (WeightedModule)module, rank, LoraOptions.Scaling(alpha, rank, options.UseRankStabilized), options.UseDora));
        }

        if (unsuited.Count > 0)
            throw fail($"{nameof(options.TargetModules)} {options.TargetModules} means {string.Join(", ", unsuited)}; only linear layers and embeddings can be adapted: {Known(parts)}.");
        if (targets.Count == 0) throw fail(NothingFound(options, parts));
        NamedModule[] biases = options.Bias switch
        {
            LoraBias.All => [.. parts.Where(part => part.Module.Bias is not null && !copies.Contains(part))],
            LoraBias.LoraOnly => [.. targets.Where(target => target.Module.Bias is not null).Select(target => new NamedModule(target.Path, target.Module))],
            _ => [],
        };
        return new AdapterPlan(options, targets, copies, biases);
    }

    /// <summary>Whether a module is one of the targets.</summary>
    public bool IsTarget(string path) => Targets.Any(target => target.Path == path);

    /// <summary>What the file of such an adapter holds: names without prefix, and shapes.</summary>
    public IEnumerable<(string Name, IReadOnlyList<long> Shape)> FileTensors() =>
    [
        .. from target in Targets from tensor in LoraLayer.TensorsOf(target) select ($"{target.Path}.{tensor.FileName}", tensor.Shape),
        .. from part in Copies
           from tensor in new[] { ("weight", part.Module.Weight), ("bias", part.Module.Bias) }
           where tensor.Item2 is not null
           select ($"{part.Path}.{tensor.Item1}", (IReadOnlyList<long>)tensor.Item2.shape),
        .. from part in Biases select (BiasName(part), (IReadOnlyList<long>)part.Module.Bias!.shape),
    ];

    /// <summary>What a file calls the bias of a module of the base.</summary>
    public string BiasName(NamedModule part) => BaseName(part, "bias");

    /// <summary>What a file calls the weight of a module of the base.</summary>
    public string WeightName(NamedModule part) => BaseName(part, "weight");

    /// <summary>The modules whose weight a file may hold, though the adapter does not train it: the embedding and the output matrix.</summary>
    public static IEnumerable<NamedModule> Embeddings(PretrainedModel model) =>
        from pair in Modules(model, "")
        where pair.Module is TokenEmbedding || (model.Head == ModelHead.CausalLanguageModel && pair.Path == model.Names.LanguageModelHead)
        select new NamedModule(pair.Path, (WeightedModule)pair.Module);

    /// <summary>The adapted embeddings and heads whose weights PEFT saves with an adapter: those that the list names by just that name.</summary>
    public IEnumerable<NamedModule> SavedEmbeddings(PretrainedModel model)
    {
        bool areNamed = Options.TargetModules!.Pattern is null
            ? Options.TargetModules.Any(s_embeddingNames.Contains)
            : Targets.Any(target => s_embeddingNames.Any(name => ModulePattern.IsSuffix(name, target.Path)));
        return areNamed ? Embeddings(model).Where(part => IsTarget(part.Path)) : [];
    }

    /// <summary>The modules of a model, without those that adapters have put into it.</summary>
    private static IEnumerable<(string Path, nn.Module Module)> Modules(nn.Module parent, string prefix)
    {
        foreach (var (name, module) in parent.named_children())
        {
            yield return (prefix + name, module);
            if (module is WeightedModule) continue;
            foreach (var inner in Modules(module, $"{prefix}{name}.")) yield return inner;
        }
    }

    private string BaseName(NamedModule part, string tensor) => IsTarget(part.Path) ? $"{part.Path}.base_layer.{tensor}" : $"{part.Path}.{tensor}";

    private static string[] WithHead(string? taskType, IReadOnlyList<string>? names)
    {
        string[] heads = taskType switch
        {
            "SEQ_CLS" or "TOKEN_CLS" => ["classifier", "score"],
            "QUESTION_ANS" => ["qa_outputs"],
            _ => [],
        };
        return [.. names ?? [], .. heads.Where(name => names?.Contains(name) != true)];
    }

    private static ModuleNames TargetsOf(
        PretrainedModel model, LoraOptions options, NamedModule[] parts, (string Path, nn.Module Module)[] modules, Func<string, Exception> fail)
    {
        if (options.TargetModules is { IsAllLinear: true })
        {
            string head = model.Names.HeadOf(model.Head);
            string[] linear = [.. parts.Where(part => part.Module is Linear && part.Path != head).Select(part => part.Path)];
            return ModuleNames.Create(linear.Length < ManyTargets ? linear : Condense(linear, modules));
        }

        if (options.TargetModules is { } given) return given;
        IReadOnlyList<string> customary = DecoderFamily.Of(model.Config.ModelType, nameof(DecoderConfig.ModelType)).LoraTargets;
        return customary.Count > 0
            ? ModuleNames.Create([.. customary])
            : throw fail(
                $"{nameof(options.TargetModules)} is not given, and nothing is customary for {model.Config.ModelType}; expected \"all-linear\" or some of: {Known(parts)}.");
    }

    private static bool IsTarget(LoraOptions options, string path, string[] toSave, Func<string, Exception> fail)
    {
        if (options.ExcludeModules is { } excluded && ModulePattern.Matches(excluded, path, nameof(options.ExcludeModules), fail)) return false;
        if (toSave.Any(name => $".{path}.".Contains($".{name}.", StringComparison.Ordinal))) return false;
        if (!ModulePattern.Matches(options.TargetModules!, path, nameof(options.TargetModules), fail)) return false;

        // A module that is named by its whole path is meant, whatever its layer is.
        if (options.LayersToTransform is not { Count: > 0 } layers || options.TargetModules!.Names.Contains(path)) return true;
        return ModulePattern.LayerOf(path, options.LayersPattern ?? [], fail) is { } layer && layers.Contains(layer);
    }

    private static void CheckSaved(LoraOptions options, string[] names, string[] found, NamedModule[] parts, Func<string, Exception> fail)
    {
        // Of the names of heads a model has one.
        string[] unknown = [.. names.Except(s_headNames).Where(name => !found.Any(path => path.EndsWith(name, StringComparison.Ordinal)))];
        if (unknown.Length > 0)
            throw fail($"{nameof(options.ModulesToSave)} names {string.Join(", ", unknown)}; the model has no such module. It has: {Known(parts)}.");
    }

    private static string NothingFound(LoraOptions options, NamedModule[] parts)
    {
        string more = options.ExcludeModules is { } excluded ? $", without {nameof(options.ExcludeModules)} {excluded}" : "";
        if (options.LayersToTransform is { Count: > 0 } layers) more += $", in the layers {string.Join(", ", layers)} only";
        return $"{nameof(options.TargetModules)} {options.TargetModules}{more} means no module of the model; expected \"all-linear\" or some of: {Known(parts)}.";
    }

    /// <summary>What the modules are called that can be adapted.</summary>
    private static string Known(NamedModule[] parts) =>
        string.Join(", ", parts.Where(part => part.Module is Linear or TokenEmbedding).Select(part => part.Path[(part.Path.LastIndexOf('.') + 1)..]).Distinct());

    /// <summary>The shortest ends of paths that mean these modules and no other.</summary>
    private static string[] Condense(string[] targets, (string Path, nn.Module Module)[] modules)
    {
        HashSet<string> taken = [.. modules.Select(pair => pair.Path).Except(targets).SelectMany(Ends)];
        List<string> chosen = [];
        foreach (string path in targets)
        {
            if (chosen.Any(end => ModulePattern.IsSuffix(end, path))) continue;
            if (Ends(path).FirstOrDefault(end => !taken.Contains(end)) is not { } shortest) return targets;
            chosen.Add(shortest);
        }

        return [.. chosen];

        // From the shortest on.
        static IEnumerable<string> Ends(string path)
        {
            for (int dot = path.LastIndexOf('.'); dot >= 0; dot = dot == 0 ? -1 : path.LastIndexOf('.', dot - 1)) yield return path[(dot + 1)..];
            yield return path;
        }
    }
}

/// <summary>A smallest part of a model.</summary>
/// <param name="Path">Its path in the model, as in checkpoints.</param>
/// <param name="Module">The part.</param>
internal sealed record NamedModule(string Path, WeightedModule Module);

/// <summary>A module that is adapted.</summary>
/// <param name="Path">Its path in the model, as in checkpoints.</param>
/// <param name="Module">The module, a linear layer or an embedding.</param>
/// <param name="Rank">The rank of its matrices.</param>
/// <param name="Scaling">What their product is multiplied with.</param>
/// <param name="HasMagnitude">Whether the magnitudes are trained apart.</param>
internal sealed record LoraTarget(string Path, WeightedModule Module, int Rank, double Scaling, bool HasMagnitude);
