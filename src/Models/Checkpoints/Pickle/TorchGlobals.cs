using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The few classes and functions of Python that weights need, and what stands for them here. No other can be named.</summary>
internal static class TorchGlobals
{
    private const int MostDimensions = 64;

    private static readonly Dictionary<string, object> s_allowed = new()
    {
        ["collections.OrderedDict"] = new TorchFunction("collections.OrderedDict", OrderedDictionary),
        ["torch._utils._rebuild_tensor"] = new TorchFunction("torch._utils._rebuild_tensor", arguments => Tensor(arguments, [4], null)),
        ["torch._utils._rebuild_tensor_v2"] = new TorchFunction("torch._utils._rebuild_tensor_v2", arguments => Tensor(arguments, [6, 7], null)),
        ["torch._utils._rebuild_tensor_v3"] = new TorchFunction("torch._utils._rebuild_tensor_v3", arguments => Tensor(arguments, [7, 8], arguments.ElementAtOrDefault(6))),
        ["torch._utils._rebuild_parameter"] = new TorchFunction("torch._utils._rebuild_parameter", arguments => arguments is [TorchTensor data, bool, PickleDictionary] ? data : null),
        ["torch.DoubleStorage"] = new TorchStorageClass(ScalarType.Float64),
        ["torch.FloatStorage"] = new TorchStorageClass(ScalarType.Float32),
        ["torch.HalfStorage"] = new TorchStorageClass(ScalarType.Float16),
        ["torch.BFloat16Storage"] = new TorchStorageClass(ScalarType.BFloat16),
        ["torch.LongStorage"] = new TorchStorageClass(ScalarType.Int64),
        ["torch.IntStorage"] = new TorchStorageClass(ScalarType.Int32),
        ["torch.ShortStorage"] = new TorchStorageClass(ScalarType.Int16),
        ["torch.CharStorage"] = new TorchStorageClass(ScalarType.Int8),
        ["torch.ByteStorage"] = new TorchStorageClass(ScalarType.Byte),
        ["torch.BoolStorage"] = new TorchStorageClass(ScalarType.Bool),
        ["torch.storage.UntypedStorage"] = new TorchStorageClass(null),
        ["torch.storage._UntypedStorage"] = new TorchStorageClass(null),
        ["torch.float64"] = ScalarType.Float64,
        ["torch.float32"] = ScalarType.Float32,
        ["torch.float16"] = ScalarType.Float16,
        ["torch.bfloat16"] = ScalarType.BFloat16,
        ["torch.int64"] = ScalarType.Int64,
        ["torch.int32"] = ScalarType.Int32,
        ["torch.int16"] = ScalarType.Int16,
        ["torch.int8"] = ScalarType.Int8,
        ["torch.uint8"] = ScalarType.Byte,
        ["torch.bool"] = ScalarType.Bool,
    };

    /// <summary>What stands for a class or function of Python: a <see cref="TorchFunction"/>, a <see cref="TorchStorageClass"/> or an element type.</summary>
    /// <exception cref="NotSupportedException">It is none of those that weights need.</exception>
    public static object Resolve(string module, string name, string source) =>
        s_allowed.GetValueOrDefault($"{module}.{name}") ?? throw new NotSupportedException(
            $"{source}: names '{module}.{name}', which weights do not need and which could run code when the file is opened; nothing of it was run. "
            + "If you trust the file, open it in Python and save it again as safetensors (save_pretrained does).");

    /// <summary>OrderedDict(), or OrderedDict([[key, value], ...]) as Python 2 wrote it.</summary>
    private static PickleDictionary? OrderedDictionary(object?[] arguments)
    {
        var result = new PickleDictionary();
        if (arguments is []) return result;
        if (arguments is not [List<object?> items]) return null;
        foreach (object? item in items)
        {
            if (item is List<object?> and [string key, _] pair) result.Set(key, pair[1]);
            else if (item is object?[] and [string name, var value]) result.Set(name, value);
            else return null;
        }

        return result;
    }

    /// <summary>(storage, offset, size, stride, requires_grad, backward_hooks, [element type,] metadata); the first version has no more than the stride.</summary>
    private static TorchTensor? Tensor(object?[] arguments, int[] counts, object? dtype)
    {
        if (!counts.Contains(arguments.Length) || arguments is not [TorchStorage storage, long offset, object?[] size, object?[] stride, ..]) return null;
        bool hasMetadata = arguments.Length == 8 || (arguments.Length == 7 && dtype is null);
        if (hasMetadata && arguments[^1] is not (null or PickleDictionary { Items.Count: 0 })) return null;
        if ((dtype as ScalarType? ?? storage.DType) is not { } type || (storage.DType is not null && storage.DType != type)) return null;
        return Numbers(size) is { } shape && Numbers(stride) is { } strides && shape.Length == strides.Length
            ? new TorchTensor(storage, type, offset, shape, strides)
            : null;
    }

    private static long[]? Numbers(object?[] values) =>
        values.Length <= MostDimensions && values.All(value => value is long) ? [.. values.Cast<long>()] : null;
}
