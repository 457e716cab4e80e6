using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Work over rows of CPU tensors of float32 or bfloat16, in groups that depend on the size of a row alone, so that sums over groups are the same for any number of threads.</summary>
internal static class TensorRows
{
    /// <summary>Numbers in a group: worth the start of a task, small enough for the cache of a core.</summary>
    private const int GroupSize = 1 << 15;

    /// <summary>Whether kernels over raw memory compute a tensor; others are left to the backend.</summary>
    public static bool Serves(Tensor tensor) => tensor.device_type == DeviceType.CPU && tensor.dtype is ScalarType.Float32 or ScalarType.BFloat16;

    /// <summary>Whether a function has to remember what gradients need.</summary>
    public static bool NeedsGradient(params ReadOnlySpan<Tensor?> inputs)
    {
        if (!is_grad_enabled()) return false;
        foreach (Tensor? input in inputs)
            if (input is { requires_grad: true }) return true;
        return false;
    }

    /// <summary>The number of groups of so many rows.</summary>
    public static long Groups(long rows, long width) => (rows + Size(width) - 1) / Size(width);

    /// <summary>Calls <paramref name="body"/>(group, first row, end) for every group of rows, in parallel.</summary>
    public static void ForEachGroup(long rows, long width, Action<long, long, long> body) =>
        TensorSpans.ForEach(Groups(rows, width), group => body(group, group * Size(width), Math.Min(rows, (group + 1) * Size(width))));

    private static long Size(long width) => Math.Max(1, GroupSize / Math.Max(1, width));
}
