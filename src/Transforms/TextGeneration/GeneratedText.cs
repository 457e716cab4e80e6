using System.Text.Json;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>What was generated for a row.</summary>
/// <param name="text">The text.</param>
/// <param name="sequence">Its tokens.</param>
internal sealed class GeneratedText(string text, GeneratedSequence sequence)
{
    private JsonElement? _json;

    public string Text => text;

    public IReadOnlyList<int> Ids => sequence.NewIds;

    public float LogProbability => (float)sequence.LogProbabilities.Sum(static value => (double)value);

    public FinishReason FinishReason => sequence.FinishReason;

    /// <summary>The text as JSON, where a schema sees to it that it is.</summary>
    public JsonElement Json => _json ??= JsonElement.Parse(text);
}
