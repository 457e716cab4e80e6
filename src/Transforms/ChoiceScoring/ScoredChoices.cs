namespace MLComponents.Transforms;

/// <summary>What the model says of the choices of a row.</summary>
/// <param name="Said">The likeliest one, and the probabilities of all.</param>
/// <param name="LogLikelihoods">Their log-likelihoods, in nats.</param>
internal readonly record struct ScoredChoices(Classification Said, float[] LogLikelihoods);
