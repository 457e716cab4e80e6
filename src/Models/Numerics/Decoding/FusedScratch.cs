using System.Runtime.InteropServices;

namespace MLComponents.Models;

/// <summary>The memory that a step computes in: one block, divided anew when a step needs more.</summary>
internal sealed unsafe class FusedScratch : IDisposable
{
    private const nint Alignment = 64;

    // Members' buffers begin on pages of their own: threads that write to one page disturb each other's reading ahead.
    private const nint MemberAlignment = 4096;

    private byte* _memory;
    private nint _size;
    private nint _used;

    /// <summary>Frees what was not disposed.</summary>
    ~FusedScratch() => Free();

    /// <summary>Begins a division.</summary>
    public void Begin() => _used = 0;

    /// <summary>Takes a part of the memory: floats whose address is known after <see cref="Commit"/>.</summary>
    /// <returns>The place, in bytes.</returns>
    public nint Take(nint floats)
    {
        nint place = _used;
        _used += ((floats * sizeof(float)) + Alignment - 1) / Alignment * Alignment;
        return place;
    }

    /// <summary>Goes on at a fresh page.</summary>
    public void SkipToPage() => _used = (_used + MemberAlignment - 1) / MemberAlignment * MemberAlignment;

    /// <summary>Sees to it that there is as much memory as was taken.</summary>
    public void Commit()
    {
        if (_used <= _size) return;
        Free();
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)_used, (nuint)MemberAlignment);
        _size = _used;
    }

    /// <summary>The address of a place.</summary>
    public float* At(nint place) => (float*)(_memory + place);

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _size = 0;
    }
}
