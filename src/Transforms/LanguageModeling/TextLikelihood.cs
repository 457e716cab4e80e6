namespace MLComponents.Transforms;

/// <summary>How likely a language model finds a text.</summary>
/// <param name="LogLikelihood">The sum of the log-probabilities of its tokens, in nats.</param>
/// <param name="Tokens">How many tokens that are.</param>
internal readonly record struct TextLikelihood(double LogLikelihood, int Tokens)
{
    /// <summary>e to the mean negative log-likelihood of a token; NaN where there is none.</summary>
    public double Perplexity => Tokens == 0 ? double.NaN : Math.Exp(-LogLikelihood / Tokens);
}
