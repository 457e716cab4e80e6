namespace MLComponents.Models;

/// <summary>Turns what a pickle says about tensors into places in the file, each checked against the file's size.</summary>
internal static class TorchStateDictionary
{
    /// <summary>All tensors together may take so many times the bytes of the file: views of one storage under several names are common (tied embeddings), many are not.</summary>
    private const int MostViews = 8;

    /// <summary>Places the tensors of a state dictionary.</summary>
    /// <param name="root">What the pickle holds.</param>
    /// <param name="content">The file.</param>
    /// <param name="beginOf">Where a storage's bytes begin; they have been checked to lie within the file.</param>
    /// <exception cref="FormatException">It is no dictionary of tensors, or a tensor reaches out of its storage.</exception>
    public static IReadOnlyList<StoredTensor> Place(object? root, Content content, Func<TorchStorage, long> beginOf)
    {
        if (root is not PickleDictionary dictionary)
            throw new FormatException($"{content.Name}: holds {Unpickler.Describe(root)}; expected a dictionary of tensors by name (a model's state_dict).");
        var entries = new List<StoredTensor>();
        long total = 0;
        foreach (var (name, value) in dictionary.Items)
        {
            if (value is not TorchTensor tensor)
            {
                string nested = value is PickleDictionary ? " If the weights lie in it, save that part alone." : "";
                throw new FormatException($"{content.Name}: '{name}' is {Unpickler.Describe(value)}; expected tensors only, as in a model's state_dict.{nested}");
            }

            StoredTensor entry = Place(name, tensor, content.Name, beginOf);
            if (entry.ByteCount > MostViews * content.Length - total)
                throw new FormatException($"{content.Name}: the tensors take more than {MostViews} times the {content.Length} bytes of the file; expected weights, not many views of the same bytes.");
            total += entry.ByteCount;
            entries.Add(entry);
        }

        return entries;
    }

    private static StoredTensor Place(string name, TorchTensor tensor, string source, Func<TorchStorage, long> beginOf)
    {
        int size = SafetensorsType.SizeOf(tensor.DType);
        long available = tensor.Storage.ByteCount!.Value / size;
        bool isEmpty = tensor.Shape.Contains(0);
        if (tensor.Offset < 0 || tensor.Offset > available || tensor.Shape.Any(dimension => dimension < 0) || tensor.Strides.Any(stride => stride < 0))
            throw Broken($"starts at element {tensor.Offset} of {available}");
        long[]? strides = null;
        if (!isEmpty)
        {
            var layout = StridedLayout.Of(tensor.Shape, tensor.Strides);
            try
            {
                if (layout.Span(0) > available - tensor.Offset) throw Broken($"reaches from element {tensor.Offset} to {tensor.Offset + layout.Span(0)} of {available}");
                if (layout.Overlaps) throw Broken("names elements of its storage more than once; save a copy of it (Tensor.contiguous())");
            }
            catch (OverflowException)
            {
                throw Broken("reaches further than 2^63 elements");
            }

            if (!IsInOrder(tensor)) strides = tensor.Strides;
        }

        return new StoredTensor(name, tensor.DType, tensor.Shape) { Begin = beginOf(tensor.Storage) + tensor.Offset * size, Strides = strides };

        FormatException Broken(string fault) => new(
            $"{source}: tensor '{name}' of shape [{string.Join(", ", tensor.Shape)}] and strides [{string.Join(", ", tensor.Strides)}] {fault}.");
    }

    private static bool IsInOrder(TorchTensor tensor)
    {
        long expected = 1;
        for (int dimension = tensor.Shape.Length - 1; dimension >= 0; dimension--)
        {
            if (tensor.Shape[dimension] != 1 && tensor.Strides[dimension] != expected) return false;
            expected *= tensor.Shape[dimension];
        }

        return true;
    }
}
