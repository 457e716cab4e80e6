using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>Scores validation rows as the trained transformer will score rows: batched by length, no gradients.</summary>
/// <param name="outputCount">Logits of each text.</param>
/// <param name="score">Gives each text's logits.</param>
/// <param name="batchSize">Most rows at once.</param>
/// <param name="maxTokens">Most tokens at once, padding included.</param>
internal sealed class ClassificationMetrics(int outputCount, Func<IReadOnlyList<int[]>, float[][]> score, int batchSize, int maxTokens)
{
    private const int WindowRows = 2048;

    /// <summary>One pass over the rows.</summary>
    public IReadOnlyDictionary<string, double> Measure(IEnumerable<ClassifiedText> rows, Action checkAlive)
    {
        double logLoss = 0;
        var seen = new long[outputCount];
        var right = new long[outputCount];
        foreach (ClassifiedText[] window in rows.Chunk(WindowRows))
        {
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(window, row => row.Ids.Length), batchSize, maxTokens))
            {
                checkAlive();
                float[][] logits = score(Array.ConvertAll(batch, index => window[index].Ids));
                for (int i = 0; i < batch.Length; i++)
                {
                    int label = window[batch[i]].Label;
                    logLoss -= LogProbability(logits[i], label);
                    seen[label]++;
                    if (Array.IndexOf(logits[i], logits[i].Max()) == label) right[label]++;
                }
            }
        }

        return new Dictionary<string, double>
        {
            [ValidationMetric.LogLoss.Name] = logLoss / seen.Sum(),
            [ValidationMetric.MicroAccuracy.Name] = (double)right.Sum() / seen.Sum(),
            [ValidationMetric.MacroAccuracy.Name] = Enumerable.Range(0, seen.Length).Where(label => seen[label] > 0).Average(label => (double)right[label] / seen[label]),
        };
    }

    private static double LogProbability(float[] logits, int label)
    {
        double largest = logits.Max();
        return logits[label] - largest - Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
    }
}
