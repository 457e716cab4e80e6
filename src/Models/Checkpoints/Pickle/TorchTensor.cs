using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A tensor as a file describes it: a view of a storage. Nothing of it is checked yet.</summary>
/// <param name="Storage">What it is a view of.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Offset">Its first element, counted in elements from the start of the storage.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Strides">The elements from one to the next along each dimension.</param>
internal sealed record TorchTensor(TorchStorage Storage, ScalarType DType, long Offset, long[] Shape, long[] Strides);
