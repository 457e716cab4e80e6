using System.Collections;
using TorchSharp.Modules;

namespace MLComponents.Models;

/// <summary>The low-rank adapters of a model: added fresh or loaded, several by name, one or more of them active.</summary>
/// <remarks>
/// Files are those of PEFT. While a model has adapters, its own weights are frozen; those of active, trainable adapters are trained. When the last adapter is
/// gone, the weights are trained again that were before. The model's own <see cref="PretrainedModel.Save"/> never writes adapters.
/// </remarks>
public sealed class ModelAdapters : IReadOnlyCollection<LoraAdapter>
{
    /// <summary>The name of an adapter that was given none.</summary>
    public const string DefaultName = "default";

    private readonly PretrainedModel _model;
    private readonly OrderedDictionary<string, LoraAdapter> _adapters = [];
    private readonly AdaptedModules _modules = new();
    private List<(Parameter Parameter, bool WasTrained)> _frozen = [];
    private string[] _active = [];
    private int _disabled;

    internal ModelAdapters(PretrainedModel model) => _model = model;

    /// <inheritdoc/>
    public int Count => _adapters.Count;

    /// <summary>The adapters' names, in the order they came.</summary>
    public IReadOnlyList<string> Names => [.. _adapters.Keys];

    /// <summary>The adapters that the model computes with, in this order.</summary>
    public IReadOnlyList<string> Active => _active;

    /// <summary>The adapters whose matrices are in the model's weights at the moment.</summary>
    public IReadOnlyList<string> Merged { get; private set; } = [];

    /// <summary>An adapter.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is no adapter of that name.</exception>
    public LoraAdapter this[string name] =>
        _adapters.GetValueOrDefault(name) ?? throw new KeyNotFoundException($"The model has no adapter '{name}'; it has {Listed(_adapters.Keys)}.");

    /// <summary>Adds a fresh adapter. It is active at once if it is the first, and trainable.</summary>
    /// <param name="options">What to adapt and how. The head of a classifier and of question answering is always saved with it.</param>
    /// <param name="name">Its name, without dots.</param>
    /// <param name="seed">Equal seeds give equal matrices.</param>
    /// <exception cref="ArgumentException">The name is taken, an option is out of its range, or a name of modules means none.</exception>
    /// <exception cref="InvalidOperationException">Adapters are merged, or another adapter changes biases and this one would, too.</exception>
    public LoraAdapter Add(LoraOptions options, string name = DefaultName, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckNew(name, options.Bias);
        string taskType = AdapterConfig.TaskTypeOf(_model.Head);
        AdapterPlan plan = AdapterPlan.Create(_model, options, taskType, message => new ArgumentException(message, nameof(options)));
        AdapterWeights weights = AdapterWeights.Create(plan, plan.SavedEmbeddings(_model));
        weights.Initialize(plan.Options.Initialization, seed);
        return Attach(new LoraAdapter(this, name, new AdapterConfig(plan.Options, taskType, new Dictionary<string, string>(), []), weights, isTrainable: true));
    }

    /// <summary>Loads an adapter from a folder with <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>. It is active at once if it is the first.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The name that it gets, without dots.</param>
    /// <param name="isTrainable">Whether to train it further.</param>
    /// <exception cref="FileNotFoundException">The folder lacks one of the files.</exception>
    /// <exception cref="FormatException">A file is broken, or the adapter is for another model; then the model is as it was.</exception>
    /// <exception cref="NotSupportedException">The adapter is of a kind that is not supported.</exception>
    /// <exception cref="InvalidOperationException">Adapters are merged, or another adapter changes biases and this one does, too.</exception>
    public LoraAdapter Load(string folder, string name = DefaultName, bool isTrainable = false)
    {
        AdapterConfig config = AdapterConfig.Load(folder);
        using TensorSource file = AdapterFile.Open(folder);
        return Load(config, Path.Combine(folder, AdapterConfig.FileName), file, name, isTrainable);
    }

    /// <summary>Loads an adapter from memory; see the other overload.</summary>
    /// <param name="configJson">The content of its <c>adapter_config.json</c>.</param>
    /// <param name="weights">The content of its <c>adapter_model.safetensors</c>; need not seek.</param>
    /// <param name="name">The name that it gets, without dots.</param>
    /// <param name="isTrainable">Whether to train it further.</param>
    public LoraAdapter Load(ReadOnlySpan<byte> configJson, Stream weights, string name = DefaultName, bool isTrainable = false)
    {
        ArgumentNullException.ThrowIfNull(weights);
        const string Source = "the adapter's configuration";
        using var source = new SafetensorsStream(weights, "the adapter's weights");
        return Load(AdapterConfig.Parse(configJson, Source), Source, source, name, isTrainable);
    }

    /// <summary>Adds an adapter that does what several do together: Σ weight · Δ, exactly, with the sum of their ranks.</summary>
    /// <param name="name">Its name, without dots.</param>
    /// <param name="parts">The adapters and what each is multiplied with.</param>
    /// <exception cref="ArgumentException">The name is taken, or there is no part.</exception>
    /// <exception cref="KeyNotFoundException">There is no adapter of a name.</exception>
    /// <exception cref="InvalidOperationException">Adapters are merged, or a part is more than matrices: it has magnitudes, biases or whole modules.</exception>
    public LoraAdapter AddCombination(string name, params (string Name, double Weight)[] parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        CheckNew(name, LoraBias.None);
        (LoraAdapter Adapter, double Weight)[] summands = [.. parts.Select(part => (this[part.Name], part.Weight))];
        return Attach(AdapterCombination.Create(this, _model, name, summands));
    }

    /// <summary>Computes with these adapters from now on, and with no others; with none, as the base does.</summary>
    /// <param name="names">Their names; their changes add up in this order.</param>
    /// <exception cref="KeyNotFoundException">There is no adapter of a name.</exception>
    /// <exception cref="ArgumentException">A name stands twice, or two of them train the same module whole.</exception>
    /// <exception cref="InvalidOperationException">Adapters are merged.</exception>
    public void Activate(params string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        CheckUnmerged();
        CheckTogether(names);
        _active = [.. names];
        Refresh();
    }

    /// <summary>Computes without adapters until the result is disposed; biases that an adapter has changed stay so.</summary>
    /// <exception cref="InvalidOperationException">Adapters are merged.</exception>
    public IDisposable Disable()
    {
        CheckUnmerged();
        return new Disabled(this);
    }

    /// <summary>Puts the matrices of adapters into the model's weights, so that they cost nothing; they are then the active ones. The weights as they were are kept.</summary>
    /// <param name="names">Which; the active ones if none is given.</param>
    /// <exception cref="KeyNotFoundException">There is no adapter of a name.</exception>
    /// <exception cref="ArithmeticException">A weight would not be a finite number; then nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">Adapters are merged already, none is active, or an embedding is adapted that the head shares.</exception>
    public void Merge(params string[] names)
    {
        string[] merged = ToMerge(names);
        _modules.Merge(merged, keepOriginal: true);
        (Merged, _active) = (merged, merged);
        Refresh();
    }

    /// <summary>Takes merged adapters out of the weights again, which are then bit by bit as before. They stay active.</summary>
    public void Unmerge()
    {
        _modules.Unmerge();
        Merged = [];
        Refresh();
    }

    /// <summary>Makes adapters part of the model for good, with the biases and modules that they have trained, and deletes all adapters.</summary>
    /// <param name="names">Which; the active ones if none is given.</param>
    /// <exception cref="KeyNotFoundException">There is no adapter of a name.</exception>
    /// <exception cref="ArithmeticException">A weight would not be a finite number; then nothing is changed.</exception>
    /// <exception cref="ArgumentException">A name stands twice, or two of them train the same module whole.</exception>
    /// <exception cref="InvalidOperationException">None is active, or an embedding is adapted that the head shares.</exception>
    public void MergeAndUnload(params string[] names)
    {
        Unmerge();
        string[] merged = ToMerge(names);
        foreach (LoraAdapter adapter in this.Where(adapter => !merged.Contains(adapter.Name)).ToArray()) Remove(adapter);
        _modules.Merge(merged, keepOriginal: false);
        _modules.Adopt(merged);
        foreach (LoraAdapter adapter in this.ToArray())
        {
            foreach (BaseValue value in adapter.Weights.BaseValues) value.Forget();
            Remove(adapter);
        }

        Refresh();
    }

    /// <summary>Deletes an adapter; biases that it has changed are as before. If it was active, the others that were stay so.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is no adapter of that name.</exception>
    /// <exception cref="InvalidOperationException">Adapters are merged.</exception>
    public void Delete(string name)
    {
        LoraAdapter adapter = this[name];
        CheckUnmerged();
        Remove(adapter);
        Refresh();
    }

    /// <summary>Deletes all adapters; the model is then as it was before the first.</summary>
    public void Unload()
    {
        Unmerge();
        foreach (LoraAdapter adapter in this.ToArray()) Remove(adapter);
        Refresh();
    }

    /// <inheritdoc/>
    public IEnumerator<LoraAdapter> GetEnumerator() => _adapters.Values.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal bool Contains(LoraAdapter adapter) => ReferenceEquals(_adapters.GetValueOrDefault(adapter.Name), adapter);

    /// <summary>Refuses to write the base while its weights are not its own.</summary>
    /// <exception cref="InvalidOperationException">Adapters are merged, or one has changed biases or embeddings.</exception>
    internal void CheckThatBaseIsItself()
    {
        const string Ways = $"save the adapter instead ({nameof(LoraAdapter)}.{nameof(LoraAdapter.Save)}), or make it part of the model first ({nameof(MergeAndUnload)}).";
        if (Merged.Count > 0)
            throw new InvalidOperationException($"The model's weights hold the adapters {Listed(Merged)}; {nameof(Unmerge)} them and {Ways}");
        if (this.FirstOrDefault(adapter => adapter.Weights.BaseValues.Any(value => value.IsChanged)) is not { } changer) return;
        string[] changed = [.. changer.Weights.BaseValues.Where(value => value.IsChanged).Select(value => value.Name)];
        throw new InvalidOperationException(
            $"The adapter '{changer.Name}' has changed {changed.Length} tensors of the base model ({changed[0]}{(changed.Length > 1 ? ", ..." : "")}), so that it would not be the base that is written; {Ways}");
    }

    /// <summary>Makes modules and parameters follow what is active.</summary>
    internal void Refresh()
    {
        string[] inForce = _disabled > 0 ? [] : _active;
        _modules.Use(inForce, areMerged: Merged.Count > 0);
        foreach (LoraAdapter adapter in this)
        {
            bool isTrained = adapter.IsTrainable && _active.Contains(adapter.Name);
            adapter.Weights.SetTrained(matrices: isTrained && Merged.Count == 0, others: isTrained);
        }
    }

    /// <summary>Releases what is not among the model's parameters.</summary>
    internal void Release()
    {
        _modules.Release();
        foreach (LoraAdapter adapter in this)
            foreach (BaseValue value in adapter.Weights.BaseValues) value.Forget();
    }

    private static string Listed(IEnumerable<string> names) => names.Any() ? string.Join(", ", names.Select(name => $"'{name}'")) : "none";

    private LoraAdapter Load(AdapterConfig config, string source, TensorSource weights, string name, bool isTrainable)
    {
        CheckNew(name, config.Options.Bias);
        AdapterPlan plan = AdapterPlan.Create(_model, config.Options, config.TaskType, message => new FormatException($"{source}: {message}"));
        List<string> ignored = [.. config.Ignored];
        AdapterWeights read = AdapterFile.Read(_model, plan, weights, ignored, CheckThatBaseHasIt);
        return Attach(new LoraAdapter(this, name, config with { Options = plan.Options, Ignored = ignored }, read, isTrainable));
    }

    /// <summary>Refuses to change a tensor of the base that another adapter has changed: which value is the base's could not be told any more.</summary>
    private void CheckThatBaseHasIt(BaseValue value)
    {
        foreach (LoraAdapter other in this)
        {
            if (other.Weights.BaseValues.Any(own => own.IsChanged && ReferenceEquals(own.Parameter, value.Parameter)))
                throw new InvalidOperationException($"The adapter '{other.Name}' has changed {value.Name} of the base model, which this one has another value of; {nameof(Delete)} it first.");
        }
    }

    private LoraAdapter Attach(LoraAdapter adapter)
    {
        if (_adapters.Count == 0)
        {
            _frozen = [.. _model.BaseParameters().Select(pair => (pair.Parameter, pair.Parameter.requires_grad))];
            foreach (var (parameter, _) in _frozen) parameter.requires_grad = false;
            _active = [adapter.Name];
        }

        _modules.Add(adapter);
        _adapters.Add(adapter.Name, adapter);
        Refresh();
        return adapter;
    }

    private void Remove(LoraAdapter adapter)
    {
        _modules.Remove(adapter.Name);
        foreach (BaseValue value in adapter.Weights.BaseValues)
        {
            value.Restore();
            value.Parameter.requires_grad = false;
        }

        _adapters.Remove(adapter.Name);
        _active = [.. _active.Where(name => name != adapter.Name)];
        adapter.Weights.Dispose();
        if (_adapters.Count > 0) return;
        foreach (var (parameter, wasTrained) in _frozen) parameter.requires_grad = wasTrained;
        _frozen = [];
    }

    private string[] ToMerge(string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        CheckUnmerged();
        if (_disabled > 0) throw new InvalidOperationException($"The adapters are disabled; dispose the result of {nameof(Disable)} before merging.");
        string[] chosen = names.Length > 0 ? names : _active;
        if (chosen.Length == 0)
            throw new InvalidOperationException($"No adapter is active; name those to merge ({Listed(_adapters.Keys)}), or {nameof(Unload)} them without merging.");
        CheckTogether(chosen);
        _modules.CheckMerge(chosen, _model.Config.TieWordEmbeddings);
        return chosen;
    }

    private void CheckNew(string name, LoraBias bias)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Contains('.')) throw new ArgumentException($"The adapter's name is '{name}'; expected a name without dots: it becomes part of the parameters' names.", nameof(name));
        if (_adapters.ContainsKey(name))
            throw new ArgumentException($"The model has an adapter '{name}' already; expected another name than {Listed(_adapters.Keys)}. {nameof(Delete)} it first to replace it.", nameof(name));
        CheckUnmerged();
        if (bias != LoraBias.None && this.FirstOrDefault(adapter => adapter.Options.Bias != LoraBias.None) is { } other)
            throw new InvalidOperationException($"The adapter '{other.Name}' changes biases of the base model; a second one that does cannot be told from it. {nameof(Delete)} it first.");
    }

    private void CheckUnmerged()
    {
        if (Merged.Count > 0) throw new InvalidOperationException($"The model's weights hold the adapters {Listed(Merged)}; call {nameof(Unmerge)} first.");
    }

    private void CheckTogether(string[] names)
    {
        foreach (string name in names) _ = this[name];
        if (names.Distinct().Count() < names.Length) throw new ArgumentException($"An adapter stands twice in {Listed(names)}; expected different ones.", nameof(names));
        if (_modules.WhyNotTogether(names) is { } why) throw new ArgumentException($"{Listed(names)} cannot be in force together: {why}.", nameof(names));
    }

    /// <summary>The time without adapters.</summary>
    private sealed class Disabled : IDisposable
    {
        private ModelAdapters? _adapters;

        public Disabled(ModelAdapters adapters)
        {
            _adapters = adapters;
            adapters._disabled++;
            adapters.Refresh();
        }

        public void Dispose()
        {
            if (_adapters is null) return;
            _adapters._disabled--;
            _adapters.Refresh();
            _adapters = null;
        }
    }
}
