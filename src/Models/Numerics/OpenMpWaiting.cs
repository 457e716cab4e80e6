using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MLComponents.Models;

/// <summary>
/// Has libtorch's worker threads sleep while they wait for each other. By default they spin, and as soon as anything else runs on
/// the machine, spinning threads take the processor from those they wait for: training was measured 10 times slower beside
/// another process on two cores, and not faster without one.
/// </summary>
/// <remarks>
/// The OpenMP runtime of libtorch reads <c>OMP_WAIT_POLICY</c> when it is loaded, so it is set when this assembly is, before the
/// first tensor. A value that the user has set is left alone.
/// </remarks>
internal static partial class OpenMpWaiting
{
    private const string Variable = "OMP_WAIT_POLICY";

    [ModuleInitializer]
    internal static void Sleep()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(Variable) is not null || Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") is not null) return;
        // .NET keeps its own copy of the environment: native code sees only what the C library is told.
        _ = SetEnvironmentVariable(Variable, "PASSIVE", 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);
}
