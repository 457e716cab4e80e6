using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Class weights and label smoothing, against the equations written out.</summary>
public class HeadLossTests
{
    private const double Smoothing = 0.1;

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, Smoothing)]
    [InlineData(true, Smoothing)]
    public void The_loss_of_tokens_weighs_and_smooths_and_leaves_out_what_has_no_label(bool weighted, double smoothing)
    {
        using var scope = NewDisposeScope();
        double[] weights = weighted ? [0.5, 2, 1] : [1, 1, 1];
        Tensor logits = randn(2, 4, 3);
        long[] labels = [0, 1, -100, 2, 2, -100, 1, 0];

        Tensor loss = TokenClassificationModel.Loss(logits, tensor(labels).view(2, 4), weighted ? tensor(weights) : null, smoothing);

        Assert.Equal(ByHand(logits.view(8, 3), labels, weights, smoothing), loss.item<float>(), 1e-5);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, Smoothing)]
    public void The_loss_of_texts_weighs_and_smooths(bool weighted, double smoothing)
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(""", "num_labels": 3"""), seed: 1);
        double[] weights = weighted ? [0.5, 2, 1] : [1, 1, 1];
        Tensor logits = randn(4, 3);
        long[] labels = [0, 2, 1, 2];

        Tensor loss = model.Loss(logits, tensor(labels), weighted ? tensor(weights) : null, smoothing);

        Assert.Equal(ByHand(logits, labels, weights, smoothing), loss.item<float>(), 1e-5);
    }

    [Fact]
    public void The_loss_of_next_tokens_smooths()
    {
        using var scope = NewDisposeScope();
        Tensor logits = randn(1, 4, 7);

        Tensor loss = CausalLanguageModel.Loss(logits, tensor(new long[,] { { 3, 5, -100, 6 } }), Smoothing);

        Assert.Equal(ByHand(logits[0].narrow(0, 0, 3), [5, -100, 6], [1, 1, 1, 1, 1, 1, 1], Smoothing), loss.item<float>(), 1e-5);
    }

    [Fact]
    public void Several_labels_are_weighed_by_class()
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(""", "num_labels": 3, "problem_type": "multi_label_classification" """), seed: 1);
        Tensor logits = randn(4, 3), labels = (rand(4, 3) > 0.5).to(ScalarType.Float32), weights = tensor(new[] { 0.5f, 2, 1 });

        Tensor loss = model.Loss(logits, labels, weights);

        Tensor byHand = -(weights * ((labels * logits.sigmoid().log()) + ((1 - labels) * (1 - logits.sigmoid()).log()))).mean();
        TensorAssert.Within(byHand, loss, 1e-5, "loss");
    }

    [Fact]
    public void What_does_not_go_with_the_problem_is_refused()
    {
        using var scope = NewDisposeScope();
        using var regression = new SequenceClassificationModel(ModelSamples.Config(""", "num_labels": 1"""), seed: 1);
        using var several = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);

        Assert.Contains("Regression", Assert.Throws<ArgumentException>(() => regression.Loss(randn(2, 1), randn(2), ones(1))).Message);
        Assert.Contains("Regression", Assert.Throws<ArgumentException>(() => regression.Loss(randn(2, 1), randn(2), labelSmoothing: Smoothing)).Message);
        Assert.Contains("MultiLabel", Assert.Throws<ArgumentException>(() => several.Loss(randn(2, 2), rand(2, 2), labelSmoothing: Smoothing)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => several.Loss(randn(2, 2), zeros(2, dtype: ScalarType.Int64), labelSmoothing: 1.5));
    }

    /// <summary>Σ over rows of Σ over classes of target · weight · -log p, divided by the weights of the rows' classes.</summary>
    private static double ByHand(Tensor logits, long[] labels, double[] weights, double smoothing)
    {
        float[] logProbabilities = logits.log_softmax(-1).contiguous().data<float>().ToArray();
        double sum = 0, total = 0;
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row] < 0) continue;
            total += weights[labels[row]];
            for (int label = 0; label < weights.Length; label++)
            {
                double target = (label == labels[row] ? 1 - smoothing : 0) + (smoothing / weights.Length);
                sum -= target * weights[label] * logProbabilities[(row * weights.Length) + label];
            }
        }

        return sum / total;
    }
}
