using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>How many numbers the kernels of decoding take at once.</summary>
internal enum VectorWidth
{
    /// <summary>One: the plain twin.</summary>
    Scalar,

    /// <summary>Four.</summary>
    Vector128,

    /// <summary>Eight.</summary>
    Vector256,

    /// <summary>Sixteen.</summary>
    Vector512,
}

/// <summary>What the processor can do.</summary>
internal static class VectorWidths
{
    /// <summary>The widest that the processor computes with.</summary>
    public static VectorWidth Best { get; } =
        Vector512.IsHardwareAccelerated ? VectorWidth.Vector512
        : Vector256.IsHardwareAccelerated ? VectorWidth.Vector256
        : VectorWidth.Vector128;
}
