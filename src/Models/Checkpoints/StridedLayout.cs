namespace MLComponents.Models;

/// <summary>The dimensions of a view in the order of their strides, widest first: the order in which its elements lie in memory.</summary>
/// <param name="Order">The dimension of the view that stands at each place.</param>
/// <param name="Sizes">The sizes in this order.</param>
/// <param name="Strides">The strides in this order, in elements; at least 1.</param>
internal sealed record StridedLayout(long[] Order, long[] Sizes, long[] Strides)
{
    /// <summary>Orders the dimensions of a view that has at least one element.</summary>
    public static StridedLayout Of(long[] shape, long[] strides)
    {
        // A dimension of size 1 has no steps, whatever its stride says.
        long[] effective = [.. strides.Select((stride, dimension) => shape[dimension] == 1 ? 1 : stride)];
        int[] order = [.. Enumerable.Range(0, shape.Length).OrderByDescending(dimension => effective[dimension]).ThenByDescending(dimension => shape[dimension])];
        return new StridedLayout([.. order.Select(dimension => (long)dimension)], [.. order.Select(dimension => shape[dimension])], [.. order.Select(dimension => effective[dimension])]);
    }

    /// <summary>From the first element to the last of the dimensions from one inwards, both counted.</summary>
    /// <exception cref="OverflowException">More than 2^63.</exception>
    public long Span(int from)
    {
        long span = 1;
        for (int dimension = from; dimension < Sizes.Length; dimension++) span = checked(span + (Sizes[dimension] - 1) * Strides[dimension]);
        return span;
    }

    /// <summary>Whether two indices may name the same element. Slices, transposes and other views of a plain tensor never do that.</summary>
    public bool Overlaps => Enumerable.Range(0, Sizes.Length).Any(dimension => Sizes[dimension] > 1 && Strides[dimension] < Span(dimension + 1));
}
