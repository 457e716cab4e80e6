namespace MLComponents.Transforms;

/// <summary>How well a language model predicts texts.</summary>
/// <param name="NegativeLogLikelihood">The mean negative log-likelihood of a token, in nats.</param>
/// <param name="Perplexity">e to the power of that.</param>
/// <param name="Tokens">How many tokens were measured.</param>
public sealed record LanguageModelMetrics(double NegativeLogLikelihood, double Perplexity, long Tokens);
