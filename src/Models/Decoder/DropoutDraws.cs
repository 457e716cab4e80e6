using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>What dropout draws in a part of a forward pass, so that the part can be repeated with the same draws. By default there are none.</summary>
/// <param name="State">The state of the CPU's generator before them, or null.</param>
/// <param name="Seed">The seed that other devices' generators, which cannot be asked for their state, were given, or null.</param>
internal readonly record struct DropoutDraws(Tensor? State, long? Seed)
{
    /// <summary>The draws that come next on a device.</summary>
    public static DropoutDraws Next(Device device)
    {
        if (device.type == DeviceType.CPU) return new DropoutDraws(get_rng_state(), null);
        long seed = randint(long.MaxValue, [1], ScalarType.Int64).item<long>();
        random.manual_seed(seed);
        return new DropoutDraws(null, seed);
    }

    /// <summary>Runs a function with these draws once more. The CPU's generator then goes on where it was.</summary>
    public T Repeat<T>(Func<T> function)
    {
        if (State is null && Seed is null) return function();
        using Tensor before = get_rng_state();
        if (State is not null) set_rng_state(State);
        else random.manual_seed(Seed!.Value);
        try
        {
            return function();
        }
        finally
        {
            set_rng_state(before);
        }
    }
}
