namespace MLComponents.Models;

/// <summary>Changes the scores of a row's next token. Called for any row, in any order and by several threads: what it gives follows from its arguments alone.</summary>
public abstract class LogitsProcessor
{
    /// <summary>Changes the scores in place.</summary>
    /// <param name="context">The row.</param>
    /// <param name="scores">A score for every token of the vocabulary; negative infinity rules a token out.</param>
    public abstract void Process(LogitsContext context, Span<float> scores);
}
