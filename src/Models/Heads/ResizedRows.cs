using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Another number of rows for a parameter that has one for each token of the vocabulary.</summary>
internal static class ResizedRows
{
    /// <summary>
    /// Cuts rows off, or adds rows that are the mean of those there are: a new token then starts with about the probability of an average one, where a
    /// random row may be likelier than all others (Hewitt 2021). The parameter stays the same object.
    /// </summary>
    /// <param name="parameter"><c>[rows, ...]</c>.</param>
    /// <param name="rows">How many rows it is to have.</param>
    public static void Resize(Parameter parameter, int rows)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        long kept = Math.Min(rows, parameter.shape[0]);
        Tensor resized = empty([rows, .. parameter.shape[1..]], parameter.dtype, parameter.device);
        resized.narrow(0, 0, kept).copy_(parameter.narrow(0, 0, kept));
        if (rows > kept) resized.narrow(0, kept, rows - kept).copy_(parameter.mean([0], type: ScalarType.Float32));
        parameter.grad?.Dispose();
        parameter.grad = null;
        parameter.set_(resized);
    }
}
