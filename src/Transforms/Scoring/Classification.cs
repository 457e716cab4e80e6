namespace MLComponents.Transforms;

/// <summary>What a classifier says of one text.</summary>
/// <param name="Label">The index of the predicted label, from 0; for a binary classifier 0 is <see langword="false"/>.</param>
/// <param name="Scores">One probability per label; for a binary classifier the logit of <see langword="true"/> alone.</param>
/// <param name="Probability">The probability of the predicted label; for a binary classifier of <see langword="true"/>.</param>
internal readonly record struct Classification(int Label, float[] Scores, float Probability)
{
    /// <summary>The softmax over the logits, and the first of the most probable labels.</summary>
    public static Classification Multiclass(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        var exponentials = new double[logits.Length];
        double sum = 0;
        for (int i = 0; i < logits.Length; i++) sum += exponentials[i] = Math.Exp((double)logits[i] - logits[best]);
        float[] probabilities = Array.ConvertAll(exponentials, exponential => (float)(exponential / sum));
        return new(best, probabilities, probabilities[best]);
    }

    /// <summary>The logits of labels of which each is there or not; there is no single label.</summary>
    public static Classification MultiLabel(float[] logits) => new(-1, logits, float.NaN);

    /// <summary>The sigmoid of a logit.</summary>
    public static float Sigmoid(float logit) => (float)(1 / (1 + Math.Exp(-(double)logit)));

    /// <summary>The sigmoid of the logit of <see langword="true"/>: the model's only logit, or by how much its second exceeds its first.</summary>
    public static Classification Binary(ReadOnlySpan<float> logits)
    {
        float score = logits.Length == 1 ? logits[0] : logits[1] - logits[0];
        return new(score > 0 ? 1 : 0, [score], Sigmoid(score));
    }
}
