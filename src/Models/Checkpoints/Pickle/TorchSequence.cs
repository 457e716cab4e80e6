namespace MLComponents.Models;

/// <summary>The form of <c>torch.save</c> before PyTorch 1.6: pickles of a magic number, a version, the system and the tensors, a list of storages, and their elements.</summary>
internal static class TorchSequence
{
    private const long Version = 1001;

    /// <summary>The instructions for the number 0x1950a86a20f9469cfc6c, which is the first pickle.</summary>
    private static ReadOnlySpan<byte> Magic => [(byte)PickleOpcode.Long1, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)PickleOpcode.Stop];

    /// <summary>Finds the tensors of a file.</summary>
    /// <exception cref="FormatException">The file is damaged, or holds something else than tensors by name.</exception>
    /// <exception cref="NotSupportedException">It names classes or functions that weights do not need, or is in a form that is not read.</exception>
    public static IReadOnlyList<StoredTensor> Read(Content content)
    {
        // In front stands the protocol, and from protocol 4 on the size of a frame.
        byte[] start = content.Read(0, (int)Math.Min(content.Length, 32));
        int magic = start.AsSpan().IndexOf(Magic);
        if (magic < 0) throw new NotSupportedException($"{content.Name}: a pickle, but not one of torch.save; expected a model's state_dict. Nothing of it was run.");
        var input = new PickleReader(content, magic + Magic.Length, content.Length);
        var storages = new Dictionary<string, TorchStorage>();
        if (Unpickler.Read(input, storages) is not Version) throw new NotSupportedException($"{content.Name}: has another version of PyTorch's old file format than {Version}.");
        if (Unpickler.Read(input, storages) is not PickleDictionary system || system["little_endian"] is not bool isLittle)
            throw new FormatException($"{content.Name}: says nothing about the system that wrote it; expected 'little_endian'.");
        if (!isLittle) throw new NotSupportedException($"{content.Name}: the weights are big-endian; only little-endian ones are read.");
        object? state = Unpickler.Read(input, storages);
        if (Unpickler.Read(input, []) is not List<object?> keys) throw new FormatException($"{content.Name}: holds no list of its storages behind the tensors.");

        var begins = new Dictionary<TorchStorage, long>();
        long next = input.Position;
        foreach (object? key in keys)
        {
            if (key is not string name || !storages.TryGetValue(name, out TorchStorage? storage) || begins.ContainsKey(storage))
                throw new FormatException($"{content.Name}: its list of storages has {(key is string text ? $"'{text}'" : Unpickler.Describe(key))}; expected each storage of its tensors once.");
            long left = content.Length - next - sizeof(long);
            if (left < storage.ByteCount) throw new FormatException($"{content.Name}: storage '{name}' takes {storage.ByteCount} bytes, but {Math.Max(left, 0)} are left. The file is cut off.");
            long count = BitConverter.ToInt64(content.Read(next, sizeof(long)));
            if (count != storage.Count) throw new FormatException($"{content.Name}: storage '{name}' has {count} elements where its bytes begin; its tensors say {storage.Count}.");
            begins[storage] = next += sizeof(long);
            next += storage.ByteCount!.Value;
        }

        string[] absent = [.. storages.Values.Where(storage => !begins.ContainsKey(storage)).Select(storage => storage.Key)];
        if (absent.Length > 0) throw new FormatException($"{content.Name}: has tensors of the storages {string.Join(", ", absent)}, but not their bytes.");
        return TorchStateDictionary.Place(state, content, storage => begins[storage]);
    }
}
