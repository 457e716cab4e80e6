using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Runs a call by the strategy that it asks for.</summary>
internal static class GenerationStrategy
{
    public static GenerationOutput Run(GenerationCall call)
    {
        using var noGradient = no_grad();
        return call.Settings.Mode switch
        {
            GenerationMode.Tokens => TokenSearch.Run(call),
            GenerationMode.Beams => BeamSearch.Run(call),
            GenerationMode.DiverseBeams => DiverseBeamSearch.Run(call),
            GenerationMode.Contrastive => ContrastiveSearch.Run(call),
            GenerationMode.Assisted => AssistedSearch.Run(call),
            GenerationMode.ConstrainedBeams => ConstrainedBeamSearch.Run(call),
            var mode => throw new InvalidOperationException($"There is no strategy {mode}."),
        };
    }
}
