using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Texts whose words have labels: the mean cross-entropy over the labelled tokens of a batch, as the reference's token classification heads.</summary>
/// <param name="scorer">The model.</param>
/// <param name="labels">The names of its outputs.</param>
/// <param name="options">Packing, and how large the batches of a validation are.</param>
internal sealed class TokenClassificationTask(TokenClassifier scorer, IReadOnlyList<string> labels, TokenClassificationOptions options) : TrainingTask<TaggedWindow>
{
    private const int WindowRows = 512;

    /// <inheritdoc/>
    public override PretrainedModel Model => scorer.Model;

    /// <inheritdoc/>
    public override TextBatches Texts { get; } = new(scorer.Model, scorer.Model.Config.PadTokenId, options.Packing, arePooled: false);

    /// <summary>Reads and encodes texts; enumerated anew, it does so again.</summary>
    /// <exception cref="InvalidOperationException">A text has a label that the model does not know.</exception>
    public static IEnumerable<(TaggedWindow Row, bool Truncated)> Encode(TaggedTexts texts, TokenClassifier scorer, IReadOnlyList<string> labels)
    {
        Dictionary<string, int> indexes = labels.Select((label, index) => (label, index)).ToDictionary(pair => pair.label, pair => pair.index, StringComparer.Ordinal);
        foreach ((TokenizedText text, string?[] tags) in texts.Read())
        {
            TokenizedRow row = scorer.Encode(text);
            bool continues = false;
            for (int window = 0; window < row.Windows.Length; window++)
            {
                int[] words = [.. Enumerable.Range(0, tags.Length).Where(word => row.ReadOff[word].Window == window && tags[word] is not null)];
                if (words.Length == 0) continue; // nothing to learn from it
                yield return (new TaggedWindow(row.Windows[window].Ids, Array.ConvertAll(words, word => row.ReadOff[word].Position), Array.ConvertAll(words, word => Index(tags[word]!)), continues), false);
                continues = true;
            }
        }

        int Index(string tag) => indexes.TryGetValue(tag, out int index) ? index
            : throw new InvalidOperationException($"The tag '{tag}' of column '{texts.LabelColumnName}' is none of those of the training rows: {string.Join(", ", labels.Select(label => $"'{label}'"))}.");
    }

    /// <inheritdoc/>
    public override int[] IdsOf(TaggedWindow row) => row.Ids;

    /// <inheritdoc/>
    public override void Identify(TaggedWindow row, IncrementalHash hash)
    {
        foreach (int[] numbers in (int[][])[row.Ids, row.Positions, row.Labels]) hash.AppendData(MemoryMarshal.AsBytes<int>([numbers.Length, .. numbers]));
    }

    /// <inheritdoc/>
    public override double WeightOf(TaggedWindow row) => row.Labels.Length;

    /// <inheritdoc/>
    public override Tensor Loss(IReadOnlyList<TaggedWindow> rows, double totalWeight)
    {
        using TextBatch batch = Texts.Read([.. rows.Select(row => row.Ids)]);
        Tensor logits = scorer.Model.Score(batch).index_select(0, tensor(Places(batch.Layout, rows), device: Texts.Device)).to_type(ScalarType.Float32);
        Tensor expected = tensor(rows.SelectMany(row => row.Labels.Select(label => (long)label)).ToArray(), device: Texts.Device);
        return nn.functional.cross_entropy(logits, expected, reduction: nn.Reduction.Sum) / totalWeight;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Validate(IEnumerable<TaggedWindow> rows, Action checkAlive)
    {
        var evaluation = new TokenClassificationEvaluation();
        List<string> actual = [], predicted = [];
        double loss = 0;
        long tokens = 0;
        foreach (TaggedWindow[] windows in rows.Chunk(WindowRows))
        {
            var logits = new float[windows.Length][];
            foreach (int[] batch in LengthBatches.Plan(Array.ConvertAll(windows, window => window.Ids.Length), options.BatchSize, options.MaxTokensPerBatch))
            {
                checkAlive();
                float[][] outputs = Score(Array.ConvertAll(batch, index => windows[index]));
                for (int i = 0; i < batch.Length; i++) logits[batch[i]] = outputs[i];
            }

            for (int i = 0; i < windows.Length; i++)
            {
                if (!windows[i].Continues) Flush();
                for (int token = 0; token < windows[i].Labels.Length; token++)
                {
                    Classification said = Classification.Multiclass(logits[i].AsSpan(token * labels.Count, labels.Count));
                    int label = windows[i].Labels[token];
                    actual.Add(labels[label]);
                    predicted.Add(labels[said.Label]);
                    loss -= Math.Log(Math.Max(said.Scores[label], float.Epsilon));
                    tokens++;
                }
            }
        }

        Flush();
        TokenClassificationMetrics metrics = evaluation.Result();
        return new Dictionary<string, double>
        {
            [ValidationMetric.LogLoss.Name] = loss / tokens,
            [ValidationMetric.F1.Name] = metrics.F1,
            [ValidationMetric.TokenAccuracy.Name] = metrics.TokenAccuracy,
        };

        void Flush()
        {
            evaluation.Add(actual, predicted);
            actual.Clear();
            predicted.Clear();
        }
    }

    /// <summary>The labelled tokens of windows, by their places among all tokens.</summary>
    private static long[] Places(TextLayout layout, IReadOnlyList<TaggedWindow> rows) =>
        [.. rows.SelectMany((row, index) => row.Positions.Select(position => (long)layout.StartOf(index) + position))];

    /// <summary>The logits of the labelled tokens of each window, token after token.</summary>
    private float[][] Score(IReadOnlyList<TaggedWindow> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using TextBatch batch = Texts.Read([.. rows.Select(row => row.Ids)]);
        Tensor logits = scorer.Model.Score(batch).index_select(0, tensor(Places(batch.Layout, rows), device: Texts.Device));
        float[] all = logits.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        int start = 0;
        return [.. rows.Select(row => all[start..(start += row.Labels.Length * labels.Count)])];
    }
}
