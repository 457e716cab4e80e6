using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>Scores the validation rows as the trained transformer will score rows: batched by length, no gradients.</summary>
/// <param name="rows">The rows.</param>
/// <param name="scorer">The model.</param>
/// <param name="labelCount">How many labels there are.</param>
/// <param name="batchSize">Most rows at once.</param>
/// <param name="maxTokens">Most tokens at once, padding included.</param>
internal sealed class Validation(EncodedRows rows, ITextScorer scorer, int labelCount, int batchSize, int maxTokens)
{
    private const int WindowRows = 2048;

    /// <summary>One pass over the rows.</summary>
    public ValidationResult Run(Action checkAlive)
    {
        double logLoss = 0;
        var seen = new long[labelCount];
        var right = new long[labelCount];
        foreach (TrainingRow[] window in rows.Read(CancellationToken.None).Chunk(WindowRows))
        {
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(window, row => row.Ids.Length), batchSize, maxTokens))
            {
                checkAlive();
                float[][] logits = scorer.Forward(Array.ConvertAll(batch, index => window[index].Ids));
                for (int i = 0; i < batch.Length; i++)
                {
                    int label = window[batch[i]].Label;
                    logLoss -= LogProbability(logits[i], label);
                    seen[label]++;
                    if (Array.IndexOf(logits[i], logits[i].Max()) == label) right[label]++;
                }
            }
        }

        double macro = Enumerable.Range(0, labelCount).Where(label => seen[label] > 0).Average(label => (double)right[label] / seen[label]);
        return new ValidationResult(logLoss / seen.Sum(), (double)right.Sum() / seen.Sum(), macro, IsBest: false);
    }

    private static double LogProbability(float[] logits, int label)
    {
        double largest = logits.Max();
        return logits[label] - largest - Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
    }
}
