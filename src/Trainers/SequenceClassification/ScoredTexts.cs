using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>A model with one row of logits for each text, as training runs it.</summary>
/// <param name="model">The model.</param>
/// <param name="texts">Makes batches of texts.</param>
internal sealed class ScoredTexts(SequenceClassificationModel model, TextBatches texts)
{
    /// <summary>Logits of each text.</summary>
    public int OutputCount => model.Config.LabelCount;

    /// <summary>Makes batches of texts.</summary>
    public TextBatches Batches => texts;

    /// <summary>The logits of texts, with gradients.</summary>
    /// <returns><c>[texts, outputs]</c>, in the caller's dispose scope.</returns>
    public Tensor Logits(IReadOnlyList<int[]> ids)
    {
        using TextBatch batch = texts.Read(ids);
        return model.Score(batch, texts.Positions(batch, ids));
    }

    /// <summary>The logits of each text.</summary>
    public float[][] Score(IReadOnlyList<int[]> ids)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        float[] logits = Logits(ids).to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        return [.. logits.Chunk(OutputCount)];
    }
}
