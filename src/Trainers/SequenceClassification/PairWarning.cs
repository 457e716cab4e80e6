using Microsoft.ML.Runtime;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>Warns of pairs whose texts a model cannot tell apart.</summary>
internal static class PairWarning
{
    /// <summary>Tells the log where pairs are read and the tokenizer puts nothing between their texts.</summary>
    /// <param name="host">Whose log.</param>
    /// <param name="scorer">The model.</param>
    /// <param name="textColumnName">The column of the first texts.</param>
    /// <param name="textPairColumnName">That of the second ones, or null.</param>
    /// <param name="model">What to call the model.</param>
    public static void Tell(IHost host, TextClassifier scorer, string textColumnName, string? textPairColumnName, string model)
    {
        if (textPairColumnName is null || scorer.SeparatesPairs) return;
        using IChannel channel = host.Start("Pairs");
        channel.Warning(
            MessageSensitivity.Schema,
            "The tokenizer of {0} puts nothing between the two texts of a pair: the model reads '{1}' and '{2}' as one text. Write both into one prompt instead, such as FormatPrompt(\"Pair\", \"{{{1}}}\\n{{{2}}}\").",
            model, textColumnName, textPairColumnName);
    }
}
