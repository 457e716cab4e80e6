using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The modules of a model that adapters have something for.</summary>
internal sealed class AdaptedModules
{
    private readonly OrderedDictionary<string, AdaptedModule> _modules = [];

    /// <summary>Puts an adapter's parameters into the model.</summary>
    public void Add(LoraAdapter adapter)
    {
        foreach (LoraLayer layer in adapter.Weights.Layers) Of(new NamedModule(layer.Target.Path, layer.Target.Module)).Add(adapter.Name, layer);
        foreach (var (part, copy) in adapter.Weights.Copies) Of(part).Add(adapter.Name, copy);
    }

    /// <summary>Takes an adapter's parameters out of the model; they live on.</summary>
    public void Remove(string adapter)
    {
        foreach (AdaptedModule module in _modules.Values.ToArray())
        {
            module.Remove(adapter);
            if (!module.IsEmpty) continue;
            module.Use([], areMerged: false);
            _modules.Remove(module.Path);
        }
    }

    /// <summary>Makes every module compute with some of the adapters.</summary>
    public void Use(IReadOnlyList<string> adapters, bool areMerged)
    {
        foreach (AdaptedModule module in _modules.Values) module.Use(adapters, areMerged);
    }

    /// <summary>Why several adapters cannot be in force together, or null.</summary>
    public string? WhyNotTogether(IReadOnlyList<string> adapters) =>
        _modules.Values.Select(module => module.WhyNotTogether(adapters)).FirstOrDefault(reason => reason is not null);

    /// <summary>Makes sure that adapters can be merged, before the first weight is changed.</summary>
    /// <param name="adapters">Which.</param>
    /// <param name="isTied">Whether the head shares the embedding's weight.</param>
    public void CheckMerge(IReadOnlyList<string> adapters, bool isTied)
    {
        using var noGradient = no_grad();
        foreach (AdaptedModule module in _modules.Values)
        {
            using var scope = NewDisposeScope();
            if (module.Merged(adapters) is not { } merged) continue;
            if (module.IsEmbedding && isTied)
            {
                throw new InvalidOperationException(
                    $"{module.Path} is adapted and the head shares its weight: merging would change the head, which the adapter does not. Untie the embeddings first, or do not merge.");
            }

            if (!merged.isfinite().all().item<bool>())
                throw new ArithmeticException($"With {string.Join(", ", adapters)} the weight of {module.Path} would hold infinite numbers or none; expected finite ones. The adapter is broken.");
        }
    }

    /// <summary>Puts adapters into the weights; see <see cref="AdaptedModule.Merge"/>.</summary>
    public void Merge(IReadOnlyList<string> adapters, bool keepOriginal)
    {
        using var noGradient = no_grad();
        foreach (AdaptedModule module in _modules.Values) module.Merge(adapters, keepOriginal);
    }

    /// <summary>Brings the weights back, bit by bit.</summary>
    public void Unmerge()
    {
        using var noGradient = no_grad();
        foreach (AdaptedModule module in _modules.Values) module.Unmerge();
    }

    /// <summary>Makes adapters' copies the modules' own.</summary>
    public void Adopt(IReadOnlyList<string> adapters)
    {
        using var noGradient = no_grad();
        foreach (AdaptedModule module in _modules.Values)
            foreach (string name in adapters) module.Adopt(name);
    }

    /// <summary>Forgets the weights as they were before they were merged.</summary>
    public void Release()
    {
        foreach (AdaptedModule module in _modules.Values) module.Release();
    }

    private AdaptedModule Of(NamedModule part)
    {
        if (!_modules.TryGetValue(part.Path, out AdaptedModule? module)) _modules.Add(part.Path, module = new AdaptedModule(part));
        return module;
    }
}
