namespace MLComponents.Models;

/// <summary>A form that the numbers of a matrix are stored in. Each output's numbers lie together.</summary>
internal unsafe interface IWeights
{
    /// <summary>The bytes of one output's numbers.</summary>
    static abstract nint BytesOf(nint inWidth);

    /// <summary>Whether <see cref="LoadPair"/> gives the numbers at even and at odd places instead of the first and the second half.</summary>
    static abstract bool SeparatesPlaces { get; }

    /// <summary>Reads as many numbers as two vectors hold.</summary>
    /// <param name="row">One output's numbers.</param>
    /// <param name="index">The place of the first; a multiple of what two vectors hold.</param>
    /// <param name="first">The numbers that go with the first vector of the input as <see cref="FewRowsProduct{TLanes,TVector,TWeights}.Arrange"/> leaves it.</param>
    /// <param name="second">Those that go with the second.</param>
    static abstract void LoadPair<TLanes, TVector>(byte* row, nint index, out TVector first, out TVector second)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct;

    /// <summary>
    /// Reads what <see cref="LoadPair"/> reads, of as many outputs as a vector holds numbers, so that the vectors have an output in every place: two for every place
    /// of a pair, these in the order of <see cref="ILanes{TVector}.Transpose"/>.
    /// </summary>
    /// <param name="rows">The first output's numbers.</param>
    /// <param name="inWidth">The numbers of an output.</param>
    /// <param name="index">The place of the first; a multiple of what two vectors hold.</param>
    /// <param name="first">Takes the vectors of the numbers that <see cref="LoadPair"/> gives first.</param>
    /// <param name="second">Takes those of the others.</param>
    /// <param name="stride">The distance of two vectors there, in numbers.</param>
    /// <param name="spare">Two squares of the width of vectors, to compute in.</param>
    static abstract void LoadColumns<TLanes, TVector>(byte* rows, nint inWidth, nint index, float* first, float* second, nint stride, float* spare)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct;

    /// <summary>Reads one number.</summary>
    static abstract float At(byte* row, nint index);
}
