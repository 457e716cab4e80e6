using System.Globalization;
using MLComponents.Models;
using TorchSharp.Modules;

namespace MLComponents.Trainers;

/// <summary>
/// Which parameters decay and how fast each learns: as the reference trainer forms its groups, all but biases and norms decay; with a layer-wise decay δ, a
/// layer that has n others above it learns by δⁿ⁺¹ of the learning rate, the embeddings below all layers by the smallest, and the head by all of it.
/// </summary>
internal static class ParameterGroups
{
    /// <summary>The parameters that are trained.</summary>
    /// <param name="model">The model.</param>
    /// <param name="weightDecay">The weight decay.</param>
    /// <param name="layerwiseDecay">δ, above 0 to 1.</param>
    /// <returns>Per learning rate two groups, those that decay and those that do not, in the order of the model.</returns>
    public static IEnumerable<ParameterGroup> Of(PretrainedModel model, double weightDecay, double layerwiseDecay = 1)
    {
        var trained = model.named_parameters().Where(item => item.parameter.requires_grad);
        foreach (var layer in trained.GroupBy(item => layerwiseDecay == 1 ? 0 : LayersAbove(model, item.name)))
        {
            ILookup<bool, Parameter> byDecay = layer.ToLookup(item => Decays(item.name), item => item.parameter);
            double scale = Math.Pow(layerwiseDecay, layer.Key);
            yield return new ParameterGroup([.. byDecay[true]], weightDecay) { LearningRateScale = scale };
            yield return new ParameterGroup([.. byDecay[false]], 0) { LearningRateScale = scale };
        }
    }

    private static bool Decays(string name) =>
        !name.Contains("bias", StringComparison.OrdinalIgnoreCase) && !name.Contains("norm", StringComparison.OrdinalIgnoreCase);

    /// <summary>How often the learning rate of a parameter has decayed: 0 for the head and the last norm, 1 for the last layer, and so on down to the embeddings.</summary>
    private static int LayersAbove(PretrainedModel model, string name)
    {
        string[] path = name.Split('.');
        if (path[0] != model.Names.BaseOf(model.Head)) return 0;
        if (path[1] == model.Names.TokenEmbedding) return model.Config.LayerCount + 1;
        return path[1] == model.Names.Layers ? model.Config.LayerCount - int.Parse(path[2], CultureInfo.InvariantCulture) : 0;
    }
}
