using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>Where a model runs: what the caller asks for, else the GPU that the ML.NET context names, else the CPU.</summary>
internal static class ScoringDevice
{
    /// <summary>Chooses a device.</summary>
    /// <param name="env">The environment, whose GpuDeviceId and FallbackToCpu count where <paramref name="requested"/> is null.</param>
    /// <param name="requested">"cpu", "cuda", "cuda:N", or null.</param>
    /// <exception cref="ArgumentException">The name is no device's.</exception>
    /// <exception cref="InvalidOperationException">The GPU asked for is not there.</exception>
    public static Device Choose(IHostEnvironment env, string? requested)
    {
        if (requested is not null) return Named(requested);
        if (MLNetInterop.GpuDeviceId(env) is not { } gpu) return CPU;
        if (gpu >= 0 && cuda.is_available() && gpu < cuda.device_count()) return new Device(DeviceType.CUDA, gpu);
        string missing = cuda.is_available()
            ? $"there are {cuda.device_count()}"
            : "this process has none (a build with TorchBackend=cuda on a machine with an NVIDIA GPU has)";
        if (!MLNetInterop.FallbackToCpu(env))
            throw new InvalidOperationException($"MLContext.GpuDeviceId asks for CUDA device {gpu}, but {missing}; set FallbackToCpu to use the CPU instead.");
        using IChannel channel = env.Start("Device");
        channel.Warning(MessageSensitivity.None, "MLContext.GpuDeviceId asks for CUDA device {0}, but {1}: the CPU is used instead.", gpu, missing);
        return CPU;
    }

    private static Device Named(string name)
    {
        string[] parts = name.Split(':');
        int index = 0;
        bool valid = parts.Length == 1 || (parts.Length == 2 && int.TryParse(parts[1], out index) && index >= 0);
        switch (parts[0])
        {
            case "cpu" when valid && parts.Length == 1:
                return CPU;
            case "cuda" when valid:
                if (!cuda.is_available() || index >= cuda.device_count())
                    throw new InvalidOperationException($"Device '{name}' is not there: {(cuda.is_available() ? $"there are {cuda.device_count()} CUDA devices" : "this process has no CUDA device; build with TorchBackend=cuda, or use 'cpu'")}.");
                return new Device(DeviceType.CUDA, index);
            default:
                throw new ArgumentException($"'{name}' is no device; expected 'cpu', 'cuda' or 'cuda:N'.", nameof(name));
        }
    }
}
