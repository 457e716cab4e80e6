using System.Globalization;

namespace MLComponents.Benchmarks;

/// <summary>What a figure was measured on.</summary>
internal static class Machine
{
    /// <summary>The processor with its number of cores, and what was switched off.</summary>
    public static string Describe()
    {
        string? model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        string flags = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal)) ?? ""
            : "";
        string has = string.Join(", ", new[] { "avx2", "avx512f", "avx512_bf16", "amx_bf16" }.Where(flag => flags.Split(' ').Contains(flag)));
        string[] off = [.. new[] { "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY", "DOTNET_EnableAVX512", "MLCOMPONENTS_BFLOAT16" }
            .Where(name => Environment.GetEnvironmentVariable(name) is not null).Select(name => $"{name}={Environment.GetEnvironmentVariable(name)}")];
        return $"{model ?? "unknown processor"} ({has}), {Environment.ProcessorCount} cores{(off.Length > 0 ? "; " + string.Join(" ", off) : "")}";
    }

    /// <summary>The largest resident memory of this process so far, in GB of 10^9 bytes.</summary>
    public static double PeakMemoryGigabytes()
    {
        if (!File.Exists("/proc/self/status")) return Environment.WorkingSet / 1e9;
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal));
        return double.Parse(line.Split(':')[1].Replace("kB", "").Trim(), CultureInfo.InvariantCulture) * 1024 / 1e9;
    }
}
