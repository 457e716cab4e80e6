using MLComponents.Models;

namespace MLComponents.Trainers;

/// <summary>Which weights of the model itself are trained; the others stay as they are and need neither gradients nor optimizer states.</summary>
public sealed class TrainedWeights
{
    private readonly string _description;
    private readonly Func<PretrainedModel, IReadOnlyList<string>> _patterns;

    private TrainedWeights(string description, Func<PretrainedModel, IReadOnlyList<string>> patterns) => (_description, _patterns) = (description, patterns);

    /// <summary>All of them.</summary>
    public static TrainedWeights All { get; } = new(nameof(All), static _ => ["*"]);

    /// <summary>The head alone.</summary>
    public static TrainedWeights HeadOnly { get; } = new(nameof(HeadOnly), static model => [HeadOf(model)]);

    /// <summary>The last layers, the norm behind them, and the head.</summary>
    /// <param name="count">How many layers, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is below 1.</exception>
    public static TrainedWeights LastLayers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new($"{nameof(LastLayers)}({count})", model =>
        {
            int layers = model.Config.LayerCount;
            if (count > layers) throw new ArgumentOutOfRangeException(nameof(count), count, $"{nameof(LastLayers)} asks for {count} layers; the model has {layers}.");
            string decoder = model.Names.BaseOf(model.Head);
            IEnumerable<string> last = Enumerable.Range(layers - count, count).Select(layer => $"{decoder}.{model.Names.Layers}.{layer}.*");
            return [.. last, $"{decoder}.{model.Names.FinalNorm}.*", HeadOf(model)];
        });
    }

    /// <summary>Parameters by name.</summary>
    /// <param name="patterns">Names in which <c>*</c> stands for any characters and <c>?</c> for one: <c>*.mlp.*</c>, <c>score.weight</c>. At least one.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static TrainedWeights Matching(params string[] patterns)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        if (patterns.Length == 0) throw new ArgumentException($"{nameof(Matching)} needs at least one pattern, such as \"*.mlp.*\".", nameof(patterns));
        string[] own = [.. patterns];
        return new($"{nameof(Matching)}({string.Join(", ", own)})", _ => own);
    }

    /// <summary>What is trained, as it was asked for.</summary>
    public override string ToString() => _description;

    /// <summary>Freezes everything else in a model.</summary>
    /// <exception cref="ArgumentException">A pattern matches no parameter, or the model has fewer layers.</exception>
    internal void ApplyTo(PretrainedModel model)
    {
        model.Freeze("*");
        model.Unfreeze(_patterns(model));
    }

    private static string HeadOf(PretrainedModel model) => $"{model.Names.HeadOf(model.Head)}.*";
}
