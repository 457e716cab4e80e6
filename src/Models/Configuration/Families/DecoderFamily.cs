using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Data about one family of decoders: how it spells its configuration and what it calls its tensors.</summary>
internal abstract class DecoderFamily
{
    /// <summary>Every family there is. A new one is one file beside this one, and its line here.</summary>
    public static IReadOnlyList<DecoderFamily> All { get; } = [new GptNeoX(), new Llama(), new Persimmon(), new Phi(), new Phi3(), new Qwen2()];

    /// <summary>The value of <c>model_type</c>.</summary>
    public abstract string ModelType { get; }

    /// <summary>What its tensors are called.</summary>
    public abstract TensorNames Names { get; }

    /// <summary>The modules that LoRA adapts unless told otherwise; empty if the caller must say.</summary>
    public virtual IReadOnlyList<string> LoraTargets => [];

    /// <summary>What the names of the reference's classes begin with.</summary>
    protected abstract string ClassPrefix { get; }

    /// <summary>The keys that only some families have; those of all families are <see cref="DecoderConfigKeys.Common"/>.</summary>
    protected abstract IReadOnlyList<ConfigKey> Keys { get; }

    /// <summary>How rotary embeddings are spelt.</summary>
    protected virtual RopeSpelling Rope => new();

    /// <summary>The family of a <c>model_type</c>.</summary>
    /// <param name="modelType">The value found.</param>
    /// <param name="source">Where it was found, for messages.</param>
    /// <exception cref="NotSupportedException">There is no such family here.</exception>
    public static DecoderFamily Of(string modelType, string source) =>
        All.FirstOrDefault(family => family.ModelType == modelType)
            ?? throw new NotSupportedException(
                $"{source}: model_type is \"{modelType}\"; supported are {string.Join(", ", All.Select(family => family.ModelType))}.");

    /// <summary>The class that the reference library loads a head with, for <c>architectures</c>.</summary>
    public string Architecture(ModelHead head) => ClassPrefix + head switch
    {
        ModelHead.CausalLanguageModel => "ForCausalLM",
        ModelHead.SequenceClassification => "ForSequenceClassification",
        ModelHead.TokenClassification => "ForTokenClassification",
        _ => "ForQuestionAnswering",
    };

    /// <summary>Reads a configuration, in the old spelling or the new.</summary>
    public DecoderConfig Read(ConfigReader json)
    {
        DecoderConfig config = Shape(DecoderConfigKeys.ReadSizes(json, ModelType));
        foreach (ConfigKey key in AllKeys) config = key.Read(config, json);
        return config.WithCommonKeys(json);
    }

    /// <summary>Writes the keys of a configuration that <see cref="Read"/> reads, so that readers of either spelling understand them.</summary>
    public void Write(DecoderConfig config, ModelHead head, Utf8JsonWriter json)
    {
        config.WriteSizes(json);
        foreach (ConfigKey key in AllKeys) key.Write(config, json);
        config.WriteCommonKeys(json, head);
    }

    /// <summary>What the family is, and what is meant where its <c>config.json</c> says nothing.</summary>
    /// <param name="sizes">A configuration of which only the sizes are known.</param>
    protected abstract DecoderConfig Shape(DecoderConfig sizes);

    private IEnumerable<ConfigKey> AllKeys => [.. DecoderConfigKeys.Common, .. Keys, Rope.AsKey()];
}
