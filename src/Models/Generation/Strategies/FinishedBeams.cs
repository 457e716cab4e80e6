namespace MLComponents.Models;

/// <summary>The finished texts of a beam search by the rules that the reference had before version 5: diverse and constrained beams end by them.</summary>
/// <param name="call">The call.</param>
/// <param name="capacity">How many texts are kept, the best.</param>
internal sealed class FinishedBeams(GenerationCall call, int capacity)
{
    private readonly List<Hypothesis> _texts = [];

    /// <summary>Whether no better text is to come.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The finished texts.</summary>
    public IReadOnlyList<Hypothesis> Texts => _texts;

    /// <summary>Takes the candidates of a step: those that end are kept, the best of the others go on.</summary>
    /// <param name="candidates">The candidates, the best first.</param>
    /// <param name="prompt">The index of their prompt.</param>
    /// <param name="counts">Which of those that end are kept; all if null.</param>
    /// <returns>The beams that go on.</returns>
    public Hypothesis[] Take(Hypothesis[] candidates, int prompt, Predicate<Hypothesis>? counts = null)
    {
        List<Hypothesis> goOn = [];
        for (int rank = 0; rank < candidates.Length && goOn.Count < capacity; rank++)
        {
            Hypothesis text = BeamSearch.End(call, prompt, candidates[rank], null);
            if (text.FinishReason is FinishReason.EndOfText or FinishReason.StopString or FinishReason.Complete or FinishReason.Criterion)
            {
                if (rank < capacity && counts?.Invoke(text) != false) Add(text);
            }
            else
            {
                goOn.Add(text);
            }
        }

        if (goOn.Count < capacity)
            throw new InvalidOperationException($"Only {goOn.Count} of {capacity} beams can go on, since the others end; stop strings and criteria leave too few candidates.");
        IsDone |= HasEnough(candidates.Max(static text => text.Sum), candidates[0].BeamIndices.Length);
        return [.. goOn];
    }

    /// <summary>Adds the beams that are still running, at the end of the search.</summary>
    public void Close(IEnumerable<Hypothesis> running, FinishReason reason)
    {
        if (IsDone) return;
        foreach (Hypothesis text in running) Add(text with { FinishReason = reason });
    }

    /// <summary>Adds a text, if it is among the best.</summary>
    public void Add(Hypothesis text)
    {
        text = text with { Score = text.Sum / (float)Math.Pow(text.BeamIndices.Length, call.Settings.LengthPenalty) };
        if (_texts.Count < capacity)
        {
            _texts.Add(text);
            return;
        }

        int worst = Enumerable.Range(0, _texts.Count).MinBy(index => _texts[index].Score);
        if (text.Score > _texts[worst].Score)
        {
            _texts.RemoveAt(worst);
            _texts.Add(text);
        }
    }

    private bool HasEnough(float bestSum, int length)
    {
        if (_texts.Count < capacity) return false;
        if (call.Settings.EarlyStopping == EarlyStopping.WhenFull) return true;
        double penalty = call.Settings.LengthPenalty;
        if (call.Settings.EarlyStopping == EarlyStopping.Never && penalty > 0) length = call.Settings.MaxLength - call.Prompts.Length;
        return _texts.Min(static text => text.Score) >= bestSum / (float)Math.Pow(length, penalty);
    }
}
