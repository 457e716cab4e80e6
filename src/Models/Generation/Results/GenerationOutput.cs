namespace MLComponents.Models;

/// <summary>What was generated. Disposing it disposes the cache, if there is one.</summary>
public sealed class GenerationOutput : IDisposable
{
    /// <summary>The texts: for each prompt as many as were asked for, of beams the best first.</summary>
    public required IReadOnlyList<GeneratedSequence> Sequences { get; init; }

    /// <summary>The processed scores of each step, <c>[rows, vocabulary]</c> one row behind the other, if they were asked for; else empty.</summary>
    public IReadOnlyList<float[]> Scores { get; init; } = [];

    /// <summary>The logits of each step as the model gives them, in the same form, if they were asked for; else empty.</summary>
    public IReadOnlyList<float[]> Logits { get; init; } = [];

    /// <summary>What the model has read, to go on from, if it was asked for.</summary>
    public PromptCache? Cache { get; init; }

    /// <summary>The number of scores in a row.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>
    /// The score of each new token of each text: its part of <see cref="Scores"/>, as the reference's <c>compute_transition_scores</c> gives it.
    /// </summary>
    /// <param name="normalize">Whether scores become log probabilities first.</param>
    /// <exception cref="InvalidOperationException">There are no scores; set <see cref="GenerationConfig.OutputScores"/>.</exception>
    public IReadOnlyList<IReadOnlyList<float>> TransitionScores(bool normalize = false)
    {
        if (Scores.Count == 0) throw new InvalidOperationException("The scores were not kept; set OutputScores in the configuration.");
        return [.. Sequences.Select((sequence, row) => (IReadOnlyList<float>)[.. sequence.NewIds.Select((id, step) => Of(step, sequence.BeamIndices?[step] ?? row, id))])];

        float Of(int step, int row, int id)
        {
            ReadOnlySpan<float> scores = Scores[step].AsSpan(row * VocabularySize, VocabularySize);
            return normalize ? (float)(scores[id] - ScoreMath.LogSum(scores)) : scores[id];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Cache?.Dispose();
}
