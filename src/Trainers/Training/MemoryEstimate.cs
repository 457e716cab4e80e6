using System.Globalization;
using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>The memory that training takes beside the model itself, and whether there is as much.</summary>
/// <param name="Gradients">Of the trained weights, in bytes; not of an embedding of which only the rows that a step reads have one.</param>
/// <param name="Optimizer">States and float32 master weights.</param>
/// <param name="Copies">Moving averages and best weights.</param>
/// <param name="ActivationsPerToken">What is kept of a token for its gradients.</param>
internal sealed record MemoryEstimate(long Gradients, long Optimizer, long Copies, long ActivationsPerToken)
{
    /// <summary>A batch is split no further than this: smaller ones save next to nothing.</summary>
    private const int FewestTokens = 64;

    /// <summary>What does not depend on batches.</summary>
    public long Fixed => Gradients + Optimizer + Copies;

    /// <summary>What frozen layers make of the rows, as far as it is to be kept in memory; less where there is less.</summary>
    public long Prefix { get; init; }

    /// <summary>Estimates a run.</summary>
    /// <param name="model">The model, of which is frozen what is not trained.</param>
    /// <param name="options">How it is trained.</param>
    public static MemoryEstimate Of(PretrainedModel model, FineTuningOptions options)
    {
        TorchSharp.Modules.Parameter[] trained = [.. model.parameters().Where(parameter => parameter.requires_grad)];
        long weights = trained.Sum(parameter => parameter.NumberOfElements * parameter.ElementSize), numbers = trained.Sum(parameter => parameter.NumberOfElements);
        bool validates = options.ValidationSet is not null || options.ValidationFraction > 0;
        long copies = (options.AverageDecay is null ? 0 : (numbers * sizeof(float)) + weights) + (validates ? weights : 0);
        long optimizer = Optimizers.BytesFor(model, options);
        TorchSharp.Modules.Parameter embedding = model.Decoder.EmbeddingWeight;
        long gradients = weights - (Optimizers.KeepsRows(model, options) ? embedding.NumberOfElements * embedding.ElementSize : 0);
        return new MemoryEstimate(gradients, optimizer, copies, PerToken(model, options.GradientCheckpointing));
    }

    /// <summary>How many tokens may be read at once: as many as asked for, or fewer where there is not the memory.</summary>
    /// <param name="tokens">As many as asked for.</param>
    /// <param name="available">Free memory, in bytes.</param>
    /// <exception cref="InsufficientMemoryException">Not even the smallest batch fits.</exception>
    public int TokensWithin(int tokens, long available)
    {
        for (; Fixed + (tokens * ActivationsPerToken) > available; tokens /= 2)
        {
            if (tokens > FewestTokens) continue;
            throw new InsufficientMemoryException(
                $"Training needs {Size(Fixed)} beside the model ({Size(Gradients)} for gradients, {Size(Optimizer)} for the optimizer, {Size(Copies)} for copies of weights) and {Size(tokens * ActivationsPerToken)} "
                + $"for the activations of {tokens} tokens; {Size(available)} are free. Train less with {nameof(FineTuningOptions.Adapter)} or {nameof(FineTuningOptions.Trained)}, "
                + $"or choose {nameof(OptimizerKind.AdamW8Bit)} or {nameof(OptimizerKind.Adafactor)}, {nameof(WeightUpdate.StochasticRounding)} or {nameof(FineTuningOptions.GradientCheckpointing)}.");
        }

        return tokens;
    }

    /// <summary>How much may be kept of what frozen layers make of the rows: as much as asked for, or what all else leaves.</summary>
    /// <param name="tokens">How many tokens are read at once.</param>
    /// <param name="available">Free memory, in bytes.</param>
    public long PrefixWithin(int tokens, long available) => Math.Clamp(available - Fixed - (tokens * ActivationsPerToken), 0, Prefix);

    /// <summary>Free memory of this machine or container, in bytes.</summary>
    public static long Available()
    {
        GCMemoryInfo information = GC.GetGCMemoryInfo();
        long inside = information.TotalAvailableMemoryBytes - Environment.WorkingSet;
        return OperatingSystem.IsLinux() && FreeOnLinux() is { } free ? Math.Min(inside, free) : inside;
    }

    /// <summary>Bytes as a person reads them.</summary>
    public static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F1} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):F1} MiB");

    /// <summary>What the kernel says can be had without swapping.</summary>
    private static long? FreeOnLinux()
    {
        const string Path = "/proc/meminfo", Name = "MemAvailable:";
        if (!File.Exists(Path) || File.ReadLines(Path).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal)) is not { } line) return null;
        string[] parts = line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes) ? kibibytes * 1024 : null;
    }

    /// <summary>
    /// A layer keeps about ten times its hidden state (inputs and outputs of norms, queries, attention, residuals) and four times its feed-forward state. Layers below the
    /// lowest one that is trained keep nothing, layers that are computed twice only their input.
    /// </summary>
    private static long PerToken(PretrainedModel model, bool isCheckpointed)
    {
        DecoderConfig config = model.Config;
        long element = model.DType == ScalarType.Float32 ? 4 : 2, layer = ((10L * config.HiddenSize) + (4L * config.IntermediateSize)) * element;
        int kept = config.LayerCount - model.FrozenLayerCount;
        return isCheckpointed && kept > 0 ? layer + (kept * (long)config.HiddenSize * element) : Math.Max(1, kept) * layer;
    }
}
