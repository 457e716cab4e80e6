using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Decides how products of bfloat16 matrices are computed on this machine: by the backend's own bfloat16 kernels, or in
/// float32 with rounding. The backend's kernels are 2 to 4 times faster than float32 where the processor has fast bfloat16
/// instructions, 1.7 times slower where it has slow ones, and 4 to 13 times slower where it has none.
/// </summary>
/// <remarks>
/// On a CPU the backend's kernels are used where the processor has AMX-BF16, or AVX512-BF16 and is not Intel's, and the backend has not
/// been told to leave them unused (<c>ONEDNN_MAX_CPU_ISA</c>): a fact about the machine, not a measurement, so that every process on it
/// computes the same bits. Intel's processors with AMX do AVX512-BF16 at half the rate of AMD's: where a virtual machine hides AMX,
/// 148 GFLOP/s were measured beside 255 in float32. The environment variable <c>MLCOMPONENTS_BFLOAT16</c> set to <c>native</c> or <c>float32</c> overrides it.
/// </remarks>
internal static class BFloat16Compute
{
    private const string OverrideVariable = "MLCOMPONENTS_BFLOAT16";
    private const string InstructionSetVariable = "ONEDNN_MAX_CPU_ISA";
    private const string OlderInstructionSetVariable = "DNNL_MAX_CPU_ISA";

    private static readonly Lazy<bool> s_cpuIsNative = new(() => DecideForCpu(
        Environment.GetEnvironmentVariable(OverrideVariable),
        Environment.GetEnvironmentVariable(InstructionSetVariable) ?? Environment.GetEnvironmentVariable(OlderInstructionSetVariable), Processor()));

    /// <summary>Whether the backend's own bfloat16 kernels compute on this device.</summary>
    public static bool IsNative(Device device) => device.type != DeviceType.CPU || s_cpuIsNative.Value;

    /// <summary>The decision from what it rests on.</summary>
    /// <param name="wish">The override, or null.</param>
    /// <param name="largestInstructionSet">What oneDNN may use at most, or null.</param>
    /// <param name="processor">Whether the processor has AMX-BF16, has AVX512-BF16, and is Intel's.</param>
    /// <exception cref="InvalidOperationException">The override is something else.</exception>
    internal static bool DecideForCpu(string? wish, string? largestInstructionSet, (bool HasAmx, bool HasAvx512, bool IsIntel) processor) => wish switch
    {
        null or "" => (processor.HasAmx && MayUse(largestInstructionSet, "AMX")) || (processor.HasAvx512 && !processor.IsIntel && MayUse(largestInstructionSet, "BF16", "FP16", "AMX", "AVX10")),
        "native" => true,
        "float32" => false,
        _ => throw new InvalidOperationException($"The environment variable {OverrideVariable} is '{wish}'; expected 'native', 'float32' or nothing."),
    };

    /// <summary>Whether oneDNN's name of an instruction set is one of those with such products; all have AVX512-BF16 from AVX512_CORE_BF16 on.</summary>
    private static bool MayUse(string? name, params IEnumerable<string> parts) =>
        name is null or "" || parts.Append("ALL").Append("DEFAULT").Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase));

    /// <summary>AMX-BF16 (leaf 7.0, EDX bit 22), AVX512_BF16 (leaf 7.1, EAX bit 5) and the maker (leaf 0), by Intel's manual, volume 2A, CPUID.</summary>
    private static (bool HasAmx, bool HasAvx512, bool IsIntel) Processor()
    {
        const int featureLeaf = 7;
        if (!X86Base.IsSupported) return default;
        (int leaves, _, int endOfMaker, _) = X86Base.CpuId(0, 0);
        if (leaves < featureLeaf) return default;
        bool isIntel = endOfMaker == BitConverter.ToInt32("ntel"u8); // of GenuineIntel
        (int subleaves, _, _, int edx) = X86Base.CpuId(featureLeaf, 0);
        bool hasAmx = (edx & (1 << 22)) != 0;
        bool hasAvx512 = subleaves >= 1 && (X86Base.CpuId(featureLeaf, 1).Eax & (1 << 5)) != 0;
        return (hasAmx, hasAvx512, isIntel);
    }
}
