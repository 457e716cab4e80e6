using System.Reflection;

namespace MLComponents.Models;

/// <summary>What a configuration must be for a model to be made of it.</summary>
internal static class DecoderConfigRules
{
    /// <summary>The most elements of one dimension, far beyond any model there is, so that a product of two of them is no overflow.</summary>
    public const int MaximumSize = 1 << 24;

    /// <summary>The most layers.</summary>
    public const int MaximumLayers = 4096;

    private static readonly PropertyInfo[] s_properties =
        [.. typeof(DecoderConfig).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)];

    /// <summary>Refuses what no model can be made of.</summary>
    /// <exception cref="FormatException">A value is out of range, or two contradict each other.</exception>
    public static void Validate(this DecoderConfig config, string source)
    {
        Bounded(config.VocabularySize, "vocab_size", MaximumSize);
        Bounded(config.HiddenSize, "hidden_size", MaximumSize);
        Bounded(config.IntermediateSize, "intermediate_size", MaximumSize);
        Bounded(config.LayerCount, "num_hidden_layers", MaximumLayers);
        Bounded(config.HeadCount, "num_attention_heads", MaximumSize);
        Bounded(config.KeyValueHeadCount, "num_key_value_heads", MaximumSize);
        Bounded(config.HeadSize, "head_dim", MaximumSize);
        Bounded((long)config.HeadCount * config.HeadSize, "num_attention_heads * head_dim", MaximumSize);
        Bounded(config.MaxPositions, "max_position_embeddings", int.MaxValue);
        Bounded(config.LabelCount, "the number of labels", MaximumSize);
        if (config.HeadCount % config.KeyValueHeadCount != 0)
        {
            throw new FormatException(
                $"{source}: num_attention_heads {config.HeadCount} is not divisible by num_key_value_heads {config.KeyValueHeadCount}.");
        }

        if (config.QueryKeyValueLayout == QueryKeyValueLayout.Interleaved && config.KeyValueHeadCount != config.HeadCount)
        {
            throw new FormatException(
                $"{source}: num_key_value_heads is {config.KeyValueHeadCount}; in an interleaved projection every one of the {config.HeadCount} heads has a key and a value.");
        }

        if (!(config.NormEpsilon >= 0)) throw new FormatException($"{source}: the epsilon of the norms is {config.NormEpsilon}; expected at least 0.");
        if (!(config.InitializerRange >= 0)) throw new FormatException($"{source}: initializer_range is {config.InitializerRange}; expected at least 0.");
        Dropout(config.AttentionDropout, "attention_dropout");
        Dropout(config.ClassifierDropout, "classifier_dropout");
        Dropout(config.EmbeddingDropout, "the dropout of embeddings");
        Dropout(config.AttentionOutputDropout, "the dropout behind attention");
        Dropout(config.FeedForwardDropout, "the dropout behind feed-forward layers");
        if (config.SlidingWindow is { } window) Bounded(window, "sliding_window", int.MaxValue);
        if (config.PadTokenId is { } pad && (pad < 0 || pad >= config.VocabularySize))
            throw new FormatException($"{source}: pad_token_id is {pad}; expected from 0 to vocab_size - 1 = {config.VocabularySize - 1}.");
        if (config.ProblemType == ProblemType.SingleLabelClassification && config.LabelCount == 1)
            throw new FormatException($"{source}: problem_type is single_label_classification with one label; expected two or more, or regression.");
        config.Rope.Validate(config.RotarySize(), config.MaxPositions, source);

        void Bounded(long value, string name, long maximum)
        {
            if (value < 1 || value > maximum) throw new FormatException($"{source}: {name} is {value}; expected from 1 to {maximum}.");
        }

        void Dropout(double value, string name)
        {
            if (!(value >= 0 && value < 1)) throw new FormatException($"{source}: {name} is {value}; expected from 0 to below 1.");
        }
    }

    /// <summary>Refuses what the family's <c>config.json</c> cannot say: it would be lost when the model is saved.</summary>
    /// <exception cref="NotSupportedException">A value would come back as another.</exception>
    public static void CheckThatItCanBeSaved(this DecoderConfig config)
    {
        // The head with labels: the file of the others does not say their names.
        DecoderConfig read = DecoderConfig.Parse(config.WriteJson(ModelHead.SequenceClassification));
        config = config with { SlidingLayers = [.. Enumerable.Range(0, config.LayerCount).Select(config.IsSliding)] };
        read = read with { SlidingLayers = [.. Enumerable.Range(0, config.LayerCount).Select(read.IsSliding)] };
        foreach (PropertyInfo property in s_properties)
        {
            (object? wanted, object? found) = (property.GetValue(config), property.GetValue(read));
            if (Equals(wanted, found)) continue;
            throw new NotSupportedException(
                $"{property.Name} is {wanted ?? "null"}, but the config.json of the family {config.ModelType} could only say {found ?? "null"}. "
                + $"Change {property.Name}, or take a family that has it.");
        }
    }

    /// <summary>How many elements of a head are rotated.</summary>
    public static int RotarySize(this DecoderConfig config) => (int)(config.HeadSize * config.Rope.RotaryFraction);

    /// <summary>The size of a head where the file does not say it.</summary>
    public static int DivideIntoHeads(int hiddenSize, int headCount, string source)
    {
        if (hiddenSize % headCount != 0)
        {
            throw new FormatException(
                $"{source}: hidden_size {hiddenSize} is not divisible by num_attention_heads {headCount}, and no head_dim is given.");
        }

        return hiddenSize / headCount;
    }
}
