using System.Globalization;
using System.IO.Enumeration;
using TorchSharp.Modules;

namespace MLComponents.Models;

/// <content>What is trained, and how.</content>
public abstract partial class PretrainedModel
{
    /// <summary>
    /// Whether training keeps only the input of each layer and computes the layer once more for its gradients: far less memory, about a third more
    /// computation, the same gradients. False unless set. Without effect outside training and with a cache.
    /// </summary>
    public bool GradientCheckpointing
    {
        get => Decoder.CheckpointsGradients;
        set => Decoder.CheckpointsGradients = value;
    }

    /// <summary>The number of weights that are trained, adapters' included; tied ones count once.</summary>
    public long TrainableParameterCount => parameters().Where(parameter => parameter.requires_grad).Sum(parameter => parameter.NumberOfElements);

    /// <summary>Excludes parameters from training. What adapters train is decided with them, see <see cref="Adapters"/>.</summary>
    /// <param name="patterns">
    /// Which ones, by name, where <c>*</c> stands for any characters and <c>?</c> for one: <c>model.layers.0.*</c>, <c>*.bias</c>, <c>*</c>.
    /// </param>
    /// <returns>How many parameters (not weights) match.</returns>
    /// <exception cref="ArgumentException">A pattern matches no parameter.</exception>
    public int Freeze(params IReadOnlyList<string> patterns) => SetTraining(patterns, isTrained: false);

    /// <summary>Includes parameters in training.</summary>
    /// <param name="patterns">As for <see cref="Freeze"/>.</param>
    /// <returns>How many parameters (not weights) match.</returns>
    /// <exception cref="ArgumentException">A pattern matches no parameter.</exception>
    public int Unfreeze(params IReadOnlyList<string> patterns) => SetTraining(patterns, isTrained: true);

    /// <summary>α of the noise that training adds to embeddings (NEFTune); 0 unless set.</summary>
    internal double EmbeddingNoise
    {
        get => Decoder.EmbeddingNoise;
        set => Decoder.EmbeddingNoise = value;
    }

    /// <summary>
    /// The number of layers, from the lowest on, that training leaves as they are, with the embedding below them: 0 where the embedding is trained, all layers where nothing
    /// but the final norm and the head is.
    /// </summary>
    internal int FrozenLayerCount
    {
        get
        {
            string decoder = $"{Names.BaseOf(Head)}.", layers = $"{decoder}{Names.Layers}.";
            int lowest = Config.LayerCount;
            foreach (string name in named_parameters().Where(item => item.parameter.requires_grad).Select(item => item.name))
            {
                if (name.StartsWith(layers, StringComparison.Ordinal)) lowest = Math.Min(lowest, int.Parse(name[layers.Length..].Split('.')[0], CultureInfo.InvariantCulture));
                else if (name.StartsWith($"{decoder}{Names.TokenEmbedding}.", StringComparison.Ordinal)) lowest = 0;
            }

            return lowest;
        }
    }

    /// <summary>
    /// Whether the gradient of the embedding may be kept as the rows that a pass reads: it is trained, on a CPU, by nothing but what is read, neither adapted nor the matrix of
    /// the head as well.
    /// </summary>
    internal bool CanKeepRowGradient =>
        Decoder.EmbeddingWeight.requires_grad && RowGradient.Suits(Decoder.EmbeddingWeight) && !Decoder.IsEmbeddingAdapted && !(Head == ModelHead.CausalLanguageModel && Config.TieWordEmbeddings);

    private int SetTraining(IReadOnlyList<string> patterns, bool isTrained)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        (string Name, Parameter Parameter)[] all = [.. BaseParameters()];
        var chosen = new HashSet<Parameter>();
        foreach (string pattern in patterns)
        {
            Parameter[] matching = [.. all.Where(item => FileSystemName.MatchesSimpleExpression(pattern, item.Name, ignoreCase: false)).Select(item => item.Parameter)];
            if (matching.Length == 0)
            {
                throw new ArgumentException(
                    $"No parameter is called like \"{pattern}\"; there are {all.Length}, from {all[0].Name} to {all[^1].Name}. * stands for any characters.", nameof(patterns));
            }

            chosen.UnionWith(matching);
        }

        foreach (Parameter parameter in chosen) parameter.requires_grad_(isTrained);
        return chosen.Count;
    }
}
