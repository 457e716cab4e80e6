using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Gradients that this thread's last <see cref="GradientFunction{T}"/> gave to libtorch, which has its own hold on them once another one is called.</summary>
internal static class GivenGradients
{
    [ThreadStatic]
    private static List<Tensor>? t_last;

    /// <summary>Remembers gradients that are about to be given.</summary>
    public static void Keep(List<Tensor> gradients)
    {
        Release(); // of a graph within this one, which is done
        t_last = gradients;
    }

    /// <summary>Gives up those that were given before.</summary>
    public static void Release()
    {
        if (t_last is null) return;
        foreach (Tensor? gradient in t_last) gradient?.Dispose();
        t_last = null;
    }
}
