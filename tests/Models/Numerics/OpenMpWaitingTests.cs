using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MLComponents.Models.Tests;

public partial class OpenMpWaitingTests
{
    [Fact]
    public void Native_code_is_told_to_spin_briefly_unless_the_user_has_said_otherwise()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the OpenMP runtime of other systems has no such setting");
        RuntimeHelpers.RunModuleConstructor(typeof(OpenMpWaiting).Module.ModuleHandle);
        string? wished = Environment.GetEnvironmentVariable("GOMP_SPINCOUNT");
        string? expected = wished ?? (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null ? "1000" : null);
        Assert.Equal(expected, Marshal.PtrToStringUTF8(NativeVariable("GOMP_SPINCOUNT")));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint NativeVariable(string name);
}
