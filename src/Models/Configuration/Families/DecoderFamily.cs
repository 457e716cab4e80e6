using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Data about one family of decoders: how it spells its configuration and what it calls its tensors.</summary>
internal abstract class DecoderFamily
{
    /// <summary>Every family there is. A new one is one file beside this one, and its line here.</summary>
    public static IReadOnlyList<DecoderFamily> All { get; } = [new Qwen2()];

    /// <summary>The value of <c>model_type</c>.</summary>
    public abstract string ModelType { get; }

    /// <summary>What its tensors are called.</summary>
    public abstract TensorNames Names { get; }

    /// <summary>The family of a <c>model_type</c>.</summary>
    /// <param name="modelType">The value found.</param>
    /// <param name="source">Where it was found, for messages.</param>
    /// <exception cref="NotSupportedException">There is no such family here.</exception>
    public static DecoderFamily Of(string modelType, string source) =>
        All.FirstOrDefault(family => family.ModelType == modelType)
            ?? throw new NotSupportedException(
                $"{source}: model_type is \"{modelType}\"; supported are {string.Join(", ", All.Select(family => family.ModelType))}.");

    /// <summary>Reads a configuration, in the old spelling or the new.</summary>
    public abstract DecoderConfig Read(ConfigReader json);

    /// <summary>Refuses what the family's <c>config.json</c> has no key for: it would be lost when the model is saved.</summary>
    /// <exception cref="NotSupportedException">A switch is not as the family has it.</exception>
    public abstract void Validate(DecoderConfig config);

    /// <summary>Writes the keys of a configuration that <see cref="Read"/> reads, so that readers of either spelling understand them.</summary>
    public abstract void Write(DecoderConfig config, Utf8JsonWriter json);

    /// <summary>The class that the reference library loads a head with, for <c>architectures</c>.</summary>
    public abstract string Architecture(ModelHead head);
}
