using MLComponents.Models;
using TorchSharp;
using TorchSharp.Modules;

namespace MLComponents.Trainers;

/// <summary>Which parameters decay: as the reference trainer forms its groups, all but biases and norms.</summary>
internal static class WeightDecayGroups
{
    /// <summary>The parameters that are trained, in two groups.</summary>
    public static IEnumerable<ParameterGroup> Of(torch.nn.Module model, double weightDecay)
    {
        ILookup<bool, Parameter> byDecay = model.named_parameters().Where(p => p.parameter.requires_grad).ToLookup(p => Decays(p.name), p => p.parameter);
        yield return new ParameterGroup([.. byDecay[true]], weightDecay);
        yield return new ParameterGroup([.. byDecay[false]], 0);
    }

    private static bool Decays(string name) =>
        !name.Contains("bias", StringComparison.OrdinalIgnoreCase) && !name.Contains("norm", StringComparison.OrdinalIgnoreCase);
}
