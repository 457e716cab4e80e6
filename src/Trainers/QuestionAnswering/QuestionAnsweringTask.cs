using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Questions that a part of a text answers: the mean of the cross-entropies of its first and its last token, as the reference's question answering heads.</summary>
/// <param name="scorer">The model.</param>
/// <param name="options">Packing, how large the batches of a validation are, and most tokens of an answer there.</param>
internal sealed class QuestionAnsweringTask(QuestionAnsweringScorer scorer, QuestionAnsweringOptions options) : TrainingTask<AnsweredWindow>
{
    private const int WindowRows = 512;

    /// <inheritdoc/>
    public override PretrainedModel Model => scorer.Model;

    /// <inheritdoc/>
    public override TextBatches Texts { get; } = new(scorer.Model, scorer.Model.Config.PadTokenId, options.Packing, arePooled: false);

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
    public override int[] IdsOf(AnsweredWindow row) => row.Ids;

    /// <inheritdoc/>
    public override void Identify(AnsweredWindow row, IncrementalHash hash)
    {
        foreach (int[] numbers in (int[][])[row.Ids, [row.Start, row.End]]) hash.AppendData(MemoryMarshal.AsBytes<int>([numbers.Length, .. numbers]));
    }

    /// <inheritdoc/>
    public override Tensor Loss(IReadOnlyList<AnsweredWindow> rows, double totalWeight)
    {
        using TextBatch batch = Texts.Read([.. rows.Select(row => row.Ids)]);
        TextLayout layout = batch.Layout;
        Tensor[] groups = scorer.Model.Score(batch).to_type(ScalarType.Float32).split([.. layout.Groups.Select(group => (long)group.Tokens)], 0);
        Tensor sum = zeros([], device: Texts.Device);
        int first = 0;
        for (int i = 0; i < groups.Length; i++)
        {
            (int count, int width) = layout.Groups[i];
            int[] texts = [.. layout.Order.Skip(first).Take(count)];
            first += count;
            Tensor logits = groups[i].view(count, width, 2);
            Tensor lengths = tensor(texts.Select(text => (long)layout.Lengths[text]).ToArray(), device: Texts.Device);
            Tensor padding = arange(width, device: Texts.Device).unsqueeze(0) >= lengths.unsqueeze(1); // takes no part

            Tensor Sum(int which, Func<AnsweredWindow, long> position) => nn.functional.cross_entropy(
                logits.select(2, which).masked_fill(padding, float.NegativeInfinity), tensor(texts.Select(text => position(rows[text])).ToArray(), device: Texts.Device), reduction: nn.Reduction.Sum);
            sum = sum + Sum(0, row => row.Start) + Sum(1, row => row.End);
        }

        return sum / (2 * totalWeight);
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
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(windows, window => window.Ids.Length), options.BatchSize, options.MaxTokensPerBatch))
            {
                checkAlive();
                float[][] numbers = Score(Array.ConvertAll(batch, index => windows[index].Ids));
                for (int i = 0; i < batch.Length; i++) outputs[batch[i]] = numbers[i];
            }

            for (int i = 0; i < windows.Length; i++)
            {
                AnsweredWindow window = windows[i];
                loss += (CrossEntropy(outputs[i], 0, window.Start) + CrossEntropy(outputs[i], 1, window.End)) / 2;
                windowCount++;
                logits.Add(outputs[i]);
                if (window.Window < window.Row.Windows.Length - 1) continue;
                string[] predicted = AnswerComparison.Words(AnswerSearch.Best(window.Row, logits.ToArray(), 1, options.MaxAnswerLength)[0].Text.ToString());
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

    /// <summary>The logits of start and end of each window's tokens, in turn.</summary>
    private float[][] Score(int[][] ids)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using TextBatch batch = Texts.Read(ids);
        float[] all = scorer.Model.Score(batch).to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        return [.. ids.Select((text, index) => all.AsSpan(2 * batch.Layout.StartOf(index), 2 * text.Length).ToArray())];
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
