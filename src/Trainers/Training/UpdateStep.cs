using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>One update of the weights: the gradients of a batch, computed in parts, clipped by their global norm, and the optimizer's step.</summary>
/// <param name="task">The job.</param>
/// <param name="optimizer">Updates the weights.</param>
/// <param name="maxGradientNorm">Gradients of a larger norm are scaled down to it.</param>
internal sealed class UpdateStep<TRow>(TrainingTask<TRow> task, Optimizer optimizer, double maxGradientNorm)
{
    /// <summary>Added to the norm, as torch.nn.utils.clip_grad_norm_ does.</summary>
    private const double ClippingEpsilon = 1e-6;

    /// <summary>Computes the loss of a batch with its gradients.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="parts">Which rows are read at once, by their places in the batch; together all of them.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    /// <returns>The loss, and the norm of the gradients before clipping. Both are 0 for a batch of no weight.</returns>
    public (double Loss, double GradientNorm) Differentiate(IReadOnlyList<TRow> batch, IEnumerable<int[]> parts, Action checkAlive)
    {
        double totalWeight = batch.Sum(task.WeightOf);
        double loss = 0;
        if (totalWeight > 0)
        {
            foreach (int[] part in parts)
            {
                checkAlive();
                using DisposeScope scope = NewDisposeScope();
                using DifferentiatedOnce promise = DifferentiatedOnce.Promise();
                Tensor share = task.Loss(Array.ConvertAll(part, index => batch[index]), totalWeight);
                share.backward();
                loss += share.ToDouble();
            }
        }

        return (loss, optimizer.GradientNorm());
    }

    /// <summary>Updates the weights with the gradients, and forgets these.</summary>
    public void Apply(double learningRate, double gradientNorm)
    {
        optimizer.Step(learningRate, Math.Min(1, maxGradientNorm / (gradientNorm + ClippingEpsilon)));
        optimizer.ZeroGradients();
    }
}
