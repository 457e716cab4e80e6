using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Several adapters as one: with A and B the others' matrices one after the other, B A is the sum of their products (PEFT's combination "cat").</summary>
internal static class AdapterCombination
{
    public static LoraAdapter Create(ModelAdapters owner, PretrainedModel model, string name, IReadOnlyList<(LoraAdapter Adapter, double Weight)> parts)
    {
        if (parts.Count == 0) throw new ArgumentException("No adapter to combine is given; expected at least one.", nameof(parts));
        foreach (var (adapter, weight) in parts)
        {
            if (!double.IsFinite(weight)) throw new ArgumentException($"The weight of '{adapter.Name}' is {weight}; expected a finite number.", nameof(parts));
            AdapterWeights own = adapter.Weights;
            if (own.Copies.Count > 0 || own.BaseValues.Any(value => value.IsTrained || value.IsChanged) || own.Layers.Any(layer => layer.Magnitude is not null))
            {
                throw new InvalidOperationException(
                    $"The adapter '{adapter.Name}' is more than matrices: it has magnitudes, trained modules, or biases or embeddings of its own. Only plain adapters can be added up.");
            }
        }

        ILookup<string, (LoraLayer Layer, double Weight)> layers =
            parts.SelectMany(part => part.Adapter.Weights.Layers.Select(layer => (Layer: layer, part.Weight))).ToLookup(pair => pair.Layer.Target.Path);
        int rank = layers.Max(summands => summands.Sum(pair => pair.Layer.Target.Rank));
        var options = new LoraOptions
        {
            Rank = rank,
            Alpha = rank,
            TargetModules = ModuleNames.Create([.. layers.Select(summands => summands.Key)]),
            BaseModel = parts[0].Adapter.Options.BaseModel,
        };
        AdapterPlan plan = AdapterPlan.Create(model, options, null, message => new ArgumentException(message, nameof(parts)));
        AdapterWeights weights = AdapterWeights.Create(plan, []);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (LoraLayer layer in weights.Layers)
        {
            // What is beyond the sum of this module's ranks stays zero and adds nothing.
            layer.A.zero_();
            layer.B.zero_();
            long start = 0;
            foreach (var (summand, weight) in layers[layer.Target.Path])
            {
                layer.A.narrow(0, start, summand.Target.Rank).copy_(summand.A * (weight * summand.Target.Scaling));
                layer.B.narrow(1, start, summand.Target.Rank).copy_(summand.B);
                start += summand.Target.Rank;
            }
        }

        var config = new AdapterConfig(plan.Options, parts[0].Adapter.TaskType, new Dictionary<string, string>(), []);
        return new LoraAdapter(owner, name, config, weights, isTrainable: false);
    }
}
