using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// An operator with a gradient of its own that holds memory no longer than it is needed. TorchSharp's base class sets an empty tensor of its size aside with each result, for as
/// long as the graph lives; keeps what gradients need until then, too; and leaves the gradients that come and go to whatever scope is open. In a training step that is
/// more than the activations themselves.
/// </summary>
/// <typeparam name="T">The operator.</typeparam>
internal abstract class GradientFunction<T> : autograd.SingleTensorFunction<T>
    where T : GradientFunction<T>, new()
{
    private const string CountKey = "count";
    private const string OnceKey = "once";

    /// <inheritdoc/>
    public sealed override string Name => typeof(T).Name;

    /// <inheritdoc/>
    public sealed override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        context.save_data(CountKey, arguments.Length);
        context.save_data(OnceKey, DifferentiatedOnce.IsPromised);
        context.set_materialize_grads(false); // it would take the shape from the tensor that is set aside
        return Compute(context, arguments);
    }

    /// <inheritdoc/>
    public sealed override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
    {
        GivenGradients.Release();
        List<Tensor> gradients;
        using (NewDisposeScope())
        {
            gradients = gradient.IsInvalid ? [.. Enumerable.Repeat<Tensor>(null!, (int)context.get_data(CountKey))] : Differentiate(context, gradient);
            foreach (Tensor? given in gradients) given?.DetachFromDisposeScope();
        }

        GivenGradients.Keep(gradients);
        if ((bool)context.get_data(OnceKey)) context.Dispose();
        gradient.Dispose();
        return gradients;
    }

    /// <summary>Computes the operator and remembers it in the graph.</summary>
    /// <param name="arguments">What <see cref="Compute"/> takes.</param>
    protected static Tensor Record(params object[] arguments)
    {
        using var scope = NewDisposeScope();
        return apply(arguments).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the operator, and saves in the context what its gradient needs.</summary>
    protected abstract Tensor Compute(autograd.AutogradContext context, object[] arguments);

    /// <summary>Computes the gradients: one for each argument, in their order, null where there is none. None of them is <paramref name="gradient"/> itself.</summary>
    protected abstract List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient);
}
