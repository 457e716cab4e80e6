using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MLComponents.Models;

/// <summary>
/// Has libtorch's worker threads spin only briefly before they sleep, while they wait for each other. By default they spin long, and
/// as soon as anything else runs on the machine, spinning threads take the processor from those they wait for. Beside three busy
/// processes on two cores a training step takes half as long this way, and on a quiet machine as long as before.
/// </summary>
/// <remarks>
/// The OpenMP runtime of libtorch reads <c>GOMP_SPINCOUNT</c> when it is loaded, so it is set when this assembly is, before the
/// first tensor. Where the user has set it or <c>OMP_WAIT_POLICY</c>, nothing is changed.
/// </remarks>
internal static partial class OpenMpWaiting
{
    private const string Variable = "GOMP_SPINCOUNT";
    private const string ShortSpin = "1000";

    [ModuleInitializer]
    internal static void SpinBriefly()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(Variable) is not null || Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null) return;
        // .NET keeps its own copy of the environment: native code sees only what the C library is told.
        _ = SetEnvironmentVariable(Variable, ShortSpin, 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);
}
