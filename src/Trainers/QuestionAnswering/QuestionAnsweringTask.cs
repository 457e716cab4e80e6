using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Questions that a part of a text answers: the mean of the cross-entropies of its first and its last token, as the reference's question answering heads.</summary>
/// <param name="scorer">The model.</param>
/// <param name="maxAnswerLength">Most tokens of an answer in validation.</param>
/// <param name="batchSize">Most windows at once in validation.</param>
/// <param name="maxTokens">Most tokens at once in validation, padding included.</param>
internal sealed class QuestionAnsweringTask(QuestionAnsweringScorer scorer, int maxAnswerLength, int batchSize, int maxTokens) : TrainingTask<AnsweredWindow>
{
    private const int WindowRows = 512;

    private readonly Device _device = scorer.Model.parameters().First().device;

    /// <inheritdoc/>
    public override PretrainedModel Model => scorer.Model;

    /// <summary>Reads and encodes rows; enumerated anew, it does so again.</summary>
    public static IEnumerable<(AnsweredWindow Row, bool Truncated)> Encode(AnsweredQuestions questions, QuestionAnsweringScorer scorer)
    {
        foreach (AnsweredQuestion question in questions.Read())
        {
            QuestionRow row = scorer.Encoder.Encode(question.Asked);
            foreach (AnsweredWindow window in AnsweredWindow.Of(row, question)) yield return (window, row.Truncated && window.Window == 0);
        }
    }

    /// <inheritdoc/>
    public override int LengthOf(AnsweredWindow row) => row.Ids.Length;

    /// <inheritdoc/>
    public override void Identify(AnsweredWindow row, IncrementalHash hash)
    {
        foreach (int[] numbers in (int[][])[row.Ids, [row.Start, row.End]]) hash.AppendData(MemoryMarshal.AsBytes<int>([numbers.Length, .. numbers]));
    }

    /// <inheritdoc/>
    public override Tensor Loss(IReadOnlyList<AnsweredWindow> rows, double totalWeight)
    {
        using TokenBatch tokens = TokenBatch.Create([.. rows.Select(row => row.Ids)], Model.Config.PadTokenId, _device);
        (Tensor starts, Tensor ends) = scorer.Model.forward(tokens.InputIds, tokens.MaskFor(Model.Config));

        // What is padding depends on who else is in the batch; it takes no part.
        Tensor lengths = tensor(rows.Select(row => (long)row.Ids.Length).ToArray(), device: _device);
        Tensor padding = arange(tokens.InputIds.shape[1], device: _device).unsqueeze(0) >= lengths.unsqueeze(1);
        Tensor Sum(Tensor logits, Func<AnsweredWindow, long> position) => nn.functional.cross_entropy(
            logits.to_type(ScalarType.Float32).masked_fill(padding, float.NegativeInfinity), tensor(rows.Select(position).ToArray(), device: _device), reduction: nn.Reduction.Sum);
        return (Sum(starts, row => row.Start) + Sum(ends, row => row.End)) / (2 * totalWeight);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Validate(IEnumerable<AnsweredWindow> rows, Action checkAlive)
    {
        double loss = 0, f1 = 0, exact = 0;
        long windowCount = 0, questions = 0;
        List<float[]> logits = []; // of the windows of one row
        foreach (AnsweredWindow[] windows in rows.Chunk(WindowRows))
        {
            var outputs = new float[windows.Length][];
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(windows, window => window.Ids.Length), batchSize, maxTokens))
            {
                checkAlive();
                float[][] numbers = scorer.Forward(Array.ConvertAll(batch, index => windows[index].Ids));
                for (int i = 0; i < batch.Length; i++) outputs[batch[i]] = numbers[i];
            }

            for (int i = 0; i < windows.Length; i++)
            {
                AnsweredWindow window = windows[i];
                loss += (CrossEntropy(outputs[i], 0, window.Start) + CrossEntropy(outputs[i], 1, window.End)) / 2;
                windowCount++;
                logits.Add(outputs[i]);
                if (window.Window < window.Row.Windows.Length - 1) continue;
                string[] predicted = AnswerComparison.Words(AnswerSearch.Best(window.Row, logits.ToArray(), 1, maxAnswerLength)[0].Text.ToString());
                string[] actual = AnswerComparison.Words(window.Answer);
                exact += AnswerComparison.ExactMatch(predicted, actual);
                f1 += AnswerComparison.F1(predicted, actual);
                questions++;
                logits.Clear();
            }
        }

        return new Dictionary<string, double>
        {
            [ValidationMetric.LogLoss.Name] = loss / windowCount,
            [ValidationMetric.F1.Name] = f1 / questions,
            [ValidationMetric.ExactMatch.Name] = exact / questions,
        };
    }

    /// <summary>−log softmax of the starts (offset 0) or ends (1) at a position.</summary>
    private static double CrossEntropy(float[] outputs, int offset, int position)
    {
        double largest = double.NegativeInfinity, sum = 0;
        for (int i = offset; i < outputs.Length; i += 2) largest = Math.Max(largest, outputs[i]);
        for (int i = offset; i < outputs.Length; i += 2) sum += Math.Exp(outputs[i] - largest);
        return largest + Math.Log(sum) - outputs[(2 * position) + offset];
    }
}
