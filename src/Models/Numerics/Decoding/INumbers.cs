namespace MLComponents.Models;

/// <summary>An element type that keys, values and embeddings are stored in.</summary>
internal unsafe interface INumbers
{
    /// <summary>Bytes of one number.</summary>
    static abstract int Size { get; }

    /// <summary>Reads a vector of numbers in their order.</summary>
    static abstract TVector Load<TLanes, TVector>(void* source, nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct;

    /// <summary>Reads one number.</summary>
    static abstract float Read(void* source, nint index);

    /// <summary>Writes one number, rounded to the nearest.</summary>
    static abstract void Write(void* target, nint index, float value);
}
