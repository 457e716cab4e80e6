using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Decides how products of bfloat16 matrices are computed on this machine: by the backend's own bfloat16 kernels, or in
/// float32 with rounding. The backend's kernels are 2 to 4 times faster than float32 where the processor has bfloat16
/// matrix instructions and 4 to 13 times slower where it has not.
/// </summary>
/// <remarks>
/// The choice is measured once per process rather than read from processor flags, since the backend may be told to leave
/// instructions unused (ONEDNN_MAX_CPU_ISA, for one). The two differ by a factor of at least two on every known
/// processor, so the choice does not depend on the load of the machine. The environment variable
/// <c>MLCOMPONENTS_BFLOAT16</c> set to <c>native</c> or <c>float32</c> overrides it.
/// </remarks>
internal static class BFloat16Compute
{
    private const string Variable = "MLCOMPONENTS_BFLOAT16";
    private const int ProbeSize = 256;
    private const int ProbeRounds = 5;

    private static readonly Lazy<bool> s_cpuIsNative = new(DecideForCpu);

    /// <summary>Whether the backend's own bfloat16 kernels compute on this device.</summary>
    public static bool IsNative(Device device) => device.type != DeviceType.CPU || s_cpuIsNative.Value;

    private static bool DecideForCpu() => Environment.GetEnvironmentVariable(Variable) switch
    {
        null or "" => Measure(ScalarType.BFloat16) < Measure(ScalarType.Float32),
        "native" => true,
        "float32" => false,
        var other => throw new InvalidOperationException($"The environment variable {Variable} is '{other}'; expected 'native', 'float32' or nothing."),
    };

    private static long Measure(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Tensor left = zeros(ProbeSize, ProbeSize, dtype: type, device: CPU);
        Tensor right = zeros(ProbeSize, ProbeSize, dtype: type, device: CPU);
        long best = long.MaxValue;
        for (int round = 0; round <= ProbeRounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            using Tensor product = left.matmul(right);
            long elapsed = Stopwatch.GetTimestamp() - start;
            if (round > 0) best = Math.Min(best, elapsed); // the first round loads kernels
        }

        return best;
    }
}
