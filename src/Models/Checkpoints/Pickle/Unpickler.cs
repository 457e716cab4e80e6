using System.Runtime.InteropServices;

namespace MLComponents.Models;

/// <summary>
/// Reads a pickle as far as weights need it. It makes texts, numbers, tuples, lists, dictionaries with texts as keys, and descriptions of
/// tensors; it calls nothing but <see cref="TorchFunction"/>. Nothing recurses, and the number of steps is bounded, each of which makes at most one small
/// object: a hostile file costs a hundred megabytes or two, and less than a second.
/// </summary>
/// <remarks>The format is described in Python's <c>pickletools</c>, its use for weights in PyTorch's <c>torch/serialization.py</c>.</remarks>
internal sealed class Unpickler
{
    /// <summary>A tensor takes about 35 steps, so that this is enough for 30,000 of them.</summary>
    private const int MaximumSteps = 1 << 20;

    private const int LatestProtocol = 5;

    private readonly PickleReader _input;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private readonly Dictionary<string, TorchStorage> _storages;
    private int _steps;

    private Unpickler(PickleReader input, Dictionary<string, TorchStorage> storages)
    {
        _input = input;
        _storages = storages;
    }

    /// <summary>Reads one pickle; the input then stands behind it.</summary>
    /// <param name="input">What to read.</param>
    /// <param name="storages">Takes the storages that the pickle names.</param>
    /// <returns>A <see cref="string"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, null, tuple (array), list, <see cref="PickleDictionary"/> or <see cref="TorchTensor"/>.</returns>
    /// <exception cref="FormatException">The pickle breaks a rule, or is larger than weights need.</exception>
    /// <exception cref="NotSupportedException">It names a class or function, or has an instruction, that weights do not need.</exception>
    public static object? Read(PickleReader input, Dictionary<string, TorchStorage> storages) => new Unpickler(input, storages).Run();

    private object? Run()
    {
        while (true)
        {
            Spend(1);
            var code = (PickleOpcode)_input.ReadByte();
            if (code == PickleOpcode.Stop) return Pop<object>();
            Step(code);
        }
    }

    private void Step(PickleOpcode code)
    {
        switch (code)
        {
            case PickleOpcode.Proto:
                if (_input.ReadByte() is > LatestProtocol and var protocol) throw _input.Broken($"protocol {protocol}; at most {LatestProtocol} is known");
                break;
            case PickleOpcode.Frame:
                _input.Read(stackalloc byte[sizeof(ulong)]); // how much to read at once: nothing depends on it
                break;

            case PickleOpcode.None: _stack.Add(null); break;
            case PickleOpcode.NewTrue: _stack.Add(true); break;
            case PickleOpcode.NewFalse: _stack.Add(false); break;
            case PickleOpcode.BinInt: _stack.Add((long)_input.ReadInt32()); break;
            case PickleOpcode.BinInt1: _stack.Add((long)_input.ReadByte()); break;
            case PickleOpcode.BinInt2: _stack.Add((long)_input.ReadUInt16()); break;
            case PickleOpcode.Long1: _stack.Add(ReadLong()); break;
            case PickleOpcode.BinFloat: _stack.Add(_input.ReadDouble()); break;
            case PickleOpcode.BinString: _stack.Add(_input.ReadText(_input.ReadUInt32())); break;
            case PickleOpcode.BinUnicode: _stack.Add(_input.ReadText(_input.ReadUInt32())); break;
            case PickleOpcode.ShortBinString: _stack.Add(_input.ReadText(_input.ReadByte())); break;
            case PickleOpcode.ShortBinUnicode: _stack.Add(_input.ReadText(_input.ReadByte())); break;

            case PickleOpcode.EmptyTuple: _stack.Add(Array.Empty<object?>()); break;
            case PickleOpcode.EmptyList: _stack.Add(new List<object?>(0)); break;
            case PickleOpcode.EmptyDict: _stack.Add(new PickleDictionary()); break;
            case PickleOpcode.Mark: _marks.Add(_stack.Count); break;
            case PickleOpcode.Tuple: _stack.Add(PopToMark()); break;
            case PickleOpcode.Tuple1: _stack.Add(PopMany(1)); break;
            case PickleOpcode.Tuple2: _stack.Add(PopMany(2)); break;
            case PickleOpcode.Tuple3: _stack.Add(PopMany(3)); break;
            case PickleOpcode.Append: Append(PopMany(1)); break;
            case PickleOpcode.Appends: Append(PopToMark()); break;
            case PickleOpcode.SetItem: SetItems(PopMany(2)); break;
            case PickleOpcode.SetItems: SetItems(PopToMark()); break;

            case PickleOpcode.BinPut: _memo[_input.ReadByte()] = Peek<object>(); break;
            case PickleOpcode.LongBinPut: _memo[_input.ReadUInt32()] = Peek<object>(); break;
            case PickleOpcode.Memoize: _memo[(uint)_memo.Count] = Peek<object>(); break;
            case PickleOpcode.BinGet: Recall(_input.ReadByte()); break;
            case PickleOpcode.LongBinGet: Recall(_input.ReadUInt32()); break;

            case PickleOpcode.Global: _stack.Add(TorchGlobals.Resolve(_input.ReadLine(), _input.ReadLine(), _input.Name)); break;
            case PickleOpcode.StackGlobal:
                string name = Pop<string>(), module = Pop<string>();
                _stack.Add(TorchGlobals.Resolve(module, name, _input.Name));
                break;
            case PickleOpcode.Reduce: Call(); break;
            case PickleOpcode.Build:
                // The attributes of an OrderedDict: the versions of modules, which nobody here reads.
                Pop<object>();
                Peek<PickleDictionary>();
                break;
            case PickleOpcode.BinPersId: _stack.Add(NameStorage(Pop<object?[]>())); break;
            default:
                throw new NotSupportedException(
                    $"{_input.Name}: the pickle has instruction 0x{(byte)code:X2} (before byte {_input.Position}), which weights do not need. "
                    + "If the file is not damaged and you trust it, open it in Python and save it again as safetensors (save_pretrained does).");
        }
    }

    private void Call()
    {
        object?[] arguments = Pop<object?[]>();
        TorchFunction function = Pop<TorchFunction>();

        // The same list can be given to many calls.
        foreach (object? argument in arguments) Spend(argument is List<object?> list ? list.Count : 0);
        _stack.Add(function.Call(arguments) ?? throw _input.Broken($"arguments that {function.Name} does not take"));
    }

    /// <summary>("storage", class, key, location, count), in files before PyTorch 1.6 with a part of another storage behind, which nobody has written for long.</summary>
    private TorchStorage NameStorage(object?[] id)
    {
        if (id is ["module", ..]) throw new NotSupportedException($"{_input.Name}: holds a whole model with its code; expected its weights alone (a state dictionary).");
        if (id is not (["storage", TorchStorageClass, string, _, long] or ["storage", TorchStorageClass, string, _, long, null]))
            throw _input.Broken("a persistent object that is no storage");
        var storage = new TorchStorage((string)id[2]!, ((TorchStorageClass)id[1]!).DType, (long)id[4]!);
        if (storage.ByteCount is null or < 0) throw _input.Broken($"storage '{storage.Key}' of {storage.Count} elements");
        if (_storages.TryGetValue(storage.Key, out TorchStorage? known))
            return known == storage ? known : throw _input.Broken($"storage '{storage.Key}' once as {known.Count} elements of {known.DType}, once as {storage.Count} of {storage.DType}");
        _storages.Add(storage.Key, storage);
        return storage;
    }

    private long ReadLong()
    {
        int count = _input.ReadByte();
        if (count > sizeof(long)) throw _input.Broken($"a number of {count} bytes; at most {sizeof(long)} are accepted");
        Span<byte> bytes = _input.Read(stackalloc byte[count]);
        long value = count > 0 && (bytes[^1] & 0x80) != 0 ? -1 : 0;
        for (int i = count - 1; i >= 0; i--) value = (value << 8) | bytes[i];
        return value;
    }

    private void Append(object?[] items) => Peek<List<object?>>().AddRange(items);

    private void SetItems(object?[] items)
    {
        if (items.Length % 2 != 0) throw _input.Broken("a key without a value");
        PickleDictionary dictionary = Peek<PickleDictionary>();
        for (int i = 0; i < items.Length; i += 2)
            dictionary.Set(items[i] as string ?? throw _input.Broken($"a dictionary with a key that is {Describe(items[i])}; expected a text"), items[i + 1]);
    }

    private void Recall(uint index) => _stack.Add(_memo.TryGetValue(index, out object? value) ? value : throw _input.Broken($"no object with number {index}"));

    private object?[] PopToMark()
    {
        if (_marks.Count == 0) throw _input.Broken("no mark where one is needed");
        int mark = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return PopMany(_stack.Count - mark);
    }

    private object?[] PopMany(int count)
    {
        if (_stack.Count - count < Floor) throw _input.Broken("too few objects");
        object?[] items = CollectionsMarshal.AsSpan(_stack)[^count..].ToArray();
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private T Pop<T>()
    {
        T value = Peek<T>();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private T Peek<T>()
    {
        if (_stack.Count <= Floor) throw _input.Broken("too few objects");
        object? top = _stack[^1];
        if (typeof(T) == typeof(object)) return (T)top!;
        return top is T value ? value : throw _input.Broken($"{Describe(top)} where another kind of object is needed");
    }

    /// <summary>What lies below the last mark cannot be taken.</summary>
    private int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    private void Spend(int steps)
    {
        if (steps > MaximumSteps - _steps) throw _input.Broken($"more than {MaximumSteps} steps, which no weights need");
        _steps += steps;
    }

    /// <summary>What kind of object something is, for messages.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "None",
        string => "a text",
        long => "an integer",
        double => "a number",
        bool => "a truth value",
        object?[] => "a tuple",
        List<object?> => "a list",
        PickleDictionary => "a dictionary",
        TorchTensor => "a tensor",
        TorchStorage => "a storage",
        _ => "a class or function",
    };
}
