using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

public class ClassificationLossTests
{
    private static readonly long[] s_labels = [0, 2, 1, 1, 0, 2, 2];

    [Theory]
    [InlineData(new float[0], 0)]
    [InlineData(new[] { 0.5f, 1f, 2.5f }, 0)]
    [InlineData(new[] { 0f, 1f, 3f }, 0)]
    [InlineData(new float[0], 0.2)]
    [InlineData(new[] { 0.5f, 1f, 2.5f }, 0.1)]
    public void The_parts_of_a_batch_add_up_to_the_loss_of_the_whole(float[] weights, double labelSmoothing)
    {
        using DisposeScope scope = NewDisposeScope();
        using var loss = new ClassificationLoss(weights.Length == 0 ? null : weights, CPU, labelSmoothing);
        double totalWeight = s_labels.Sum(label => loss.WeightOf((int)label));
        Tensor values = randn([s_labels.Length, 3], generator: new Generator(4));
        Tensor split = values.clone().requires_grad_(), whole = values.clone().requires_grad_();

        double sum = 0;
        foreach (Range part in new[] { ..2, 2..3, 3..7 })
        {
            Tensor share = loss.Share(split[(part.Start.Value)..(part.End.Value)], tensor(s_labels[part]), totalWeight);
            share.backward();
            sum += share.ToDouble();
        }

        Tensor expected = nn.functional.cross_entropy(whole, tensor(s_labels), weights.Length == 0 ? null : tensor(weights), label_smoothing: labelSmoothing);
        expected.backward();
        Assert.Equal(expected.ToDouble(), sum, 1e-6);
        Assert.True(split.grad!.allclose(whole.grad!, 1e-5, 1e-7));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void The_focal_loss_disregards_rows_that_are_right(double gamma)
    {
        using DisposeScope scope = NewDisposeScope();
        float[] weights = [0.5f, 1, 2.5f];
        using var loss = new ClassificationLoss(weights, CPU, focus: gamma);
        float[,] logits = { { 2, 0, -1 }, { 0.5f, 0.25f, 0 } };
        int[] labels = [0, 2];
        double expected = 0;
        for (int row = 0; row < 2; row++)
        {
            double probability = Math.Exp(logits[row, labels[row]]) / Enumerable.Range(0, 3).Sum(label => Math.Exp(logits[row, label]));
            expected += weights[labels[row]] * Math.Pow(1 - probability, gamma) * -Math.Log(probability);
        }

        Tensor share = loss.Share(tensor(logits), tensor(Array.ConvertAll(labels, label => (long)label)), 3);
        Assert.Equal(expected / 3, share.ToDouble(), 1e-6);
    }

    [Fact]
    public void Half_precision_logits_lose_nothing_in_the_loss()
    {
        using DisposeScope scope = NewDisposeScope();
        using var loss = new ClassificationLoss(null, CPU);
        Tensor logits = tensor(new[] { 9.5f, -3.25f, 0.125f, 1.5f }).view(2, 2).to(ScalarType.BFloat16);
        Tensor share = loss.Share(logits, tensor(new long[] { 0, 0 }), 2);
        Assert.Equal(ScalarType.Float32, share.dtype);
        Assert.Equal((Math.Log(1 + Math.Exp(-12.75)) + Math.Log(1 + Math.Exp(1.375))) / 2, share.ToDouble(), 1e-6);
    }
}
