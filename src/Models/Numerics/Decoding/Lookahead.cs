using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace MLComponents.Models;

/// <summary>
/// Asks for memory that is needed soon, in its order and evenly over the turns of a loop. The loop itself reads from several places in turn, which the processor
/// does not see through: without this a product takes twice as long.
/// </summary>
internal static unsafe class Lookahead
{
    private const int CacheLine = 64;

    /// <summary>So much stays in the first cache until it is read, and need not go to the others, which hold what is read again.</summary>
    private const int MostForFirstCache = 16 << 10;

    /// <summary>Asks for the next bytes.</summary>
    /// <param name="place">Where they begin.</param>
    /// <param name="count">How many.</param>
    /// <param name="ahead">How many bytes are read before them.</param>
    /// <returns>Where they end.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Ask(byte* place, nint count, nint ahead)
    {
        if (!Sse.IsSupported) return place;
        byte* end = place + count;
        if (ahead <= MostForFirstCache)
            for (byte* line = place; line < end; line += CacheLine) Sse.PrefetchNonTemporal(line);
        else
            for (byte* line = place; line < end; line += CacheLine) Sse.Prefetch0(line);
        return end;
    }
}
