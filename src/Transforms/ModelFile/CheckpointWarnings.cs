using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Tells the log what of a checkpoint the model has no place for: its numbers are then not those that the folder's author had.</summary>
internal static class CheckpointWarnings
{
    private const int MostNamed = 5;

    /// <summary>Warns where tensors were left out; says nothing where all found their place.</summary>
    public static void Tell(IChannel channel, PretrainedModel model, string source)
    {
        if (model.Report?.Unexpected is not { Count: > 0 } unexpected) return;
        string more = unexpected.Count > MostNamed ? $" and {unexpected.Count - MostNamed} more" : "";
        channel.Warning(MessageSensitivity.None,
            "{0} tensors of {1} are unknown to this model and were left out: {2}{3}. The model may be of a variant that is not supported.",
            unexpected.Count, source, string.Join(", ", unexpected.Take(MostNamed)), more);
    }
}
