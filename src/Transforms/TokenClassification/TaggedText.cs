namespace MLComponents.Transforms;

/// <summary>An entity in a text.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Text">Its part of the text.</param>
/// <param name="Start">Where it begins: a character of the text, or a token where tokens were given.</param>
/// <param name="Length">How long it is, in the same unit.</param>
/// <param name="Probability">The mean of the probabilities of its words' labels, 0 to 1.</param>
internal sealed record Entity(string Label, ReadOnlyMemory<char> Text, int Start, int Length, float Probability);

/// <summary>What a token classifier says of one text.</summary>
/// <param name="Words">The words that were labelled.</param>
/// <param name="Labels">Per word the index of its label, from 0.</param>
/// <param name="Probabilities">Per word the probability of that label.</param>
/// <param name="Entities">The entities that the labels spell, in order.</param>
internal sealed record TaggedText(ReadOnlyMemory<char>[] Words, int[] Labels, float[] Probabilities, Entity[] Entities);
