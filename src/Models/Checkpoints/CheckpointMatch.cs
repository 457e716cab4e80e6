namespace MLComponents.Models;

/// <summary>Which tensor of a checkpoint goes where in a model.</summary>
/// <param name="Places">The names of the model's parameters by those of the checkpoint's tensors.</param>
/// <param name="Initialized">The names of the parameters that get their values from no tensor.</param>
/// <param name="Report">What has no counterpart.</param>
internal sealed record CheckpointMatch(IReadOnlyDictionary<string, string> Places, IReadOnlySet<string> Initialized, CheckpointReport Report);
