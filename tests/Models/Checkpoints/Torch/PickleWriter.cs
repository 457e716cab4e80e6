using System.Buffers.Binary;
using System.Text;

namespace MLComponents.Models.Tests;

/// <summary>Writes pickles as Python's pickler does, with protocol 2 (what torch.save uses) or 4.</summary>
internal sealed class PickleWriter(int protocol)
{
    private readonly MemoryStream _stream = new();
    private readonly Dictionary<object, uint> _memo = [];

    /// <summary>The pickle of a value: null, bool, int, long, double, string, array (tuple), list, dictionary, or one of the Python objects below.</summary>
    public static byte[] Pickle(object? value, int protocol = 2)
    {
        var writer = new PickleWriter(protocol);
        writer.Op(0x80).Op((byte)protocol);
        if (protocol >= 4)
        {
            writer.Op(0x95);
            writer._stream.Write(new byte[8]);
        }

        writer.Write(value);
        writer.Op('.');
        byte[] bytes = writer._stream.ToArray();
        if (protocol >= 4) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(3), bytes.Length - 11);
        return bytes;
    }

    private void Write(object? value)
    {
        switch (value)
        {
            case null: Op('N'); break;
            case true: Op(0x88); break;
            case false: Op(0x89); break;
            case int number: Write((long)number); break;
            case long small and >= 0 and <= byte.MaxValue: Op('K').Op((byte)small); break;
            case long middle and >= 0 and <= ushort.MaxValue: Op('M').Number(middle, 2); break;
            case long large and >= int.MinValue and <= int.MaxValue: Op('J').Number(large, 4); break;
            case long number: Op(0x8A).Op(8).Number(number, 8); break;
            case double number:
                Op('G');
                var bytes = new byte[8];
                BinaryPrimitives.WriteDoubleBigEndian(bytes, number);
                _stream.Write(bytes);
                break;
            case string text when !Recall(text):
                byte[] encoded = Encoding.UTF8.GetBytes(text);
                if (protocol >= 4 && encoded.Length < 256) Op(0x8C).Op((byte)encoded.Length);
                else Op('X').Number(encoded.Length, 4);
                _stream.Write(encoded);
                Remember(text);
                break;
            case PythonGlobal global when !Recall(global):
                if (protocol >= 4)
                {
                    Write(global.Module);
                    Write(global.Name);
                    Op(0x93);
                }
                else
                {
                    Op('c');
                    _stream.Write(Encoding.UTF8.GetBytes($"{global.Module}\n{global.Name}\n"));
                }

                Remember(global);
                break;
            case PythonCall call:
                Write(call.Function);
                Write(call.Arguments);
                Op('R');
                if (call.Items is { Length: > 0 } items) Items(items);
                if (call.State is not null)
                {
                    Write(call.State);
                    Op('b');
                }

                break;
            case PythonPersistent persistent:
                Write(persistent.Id);
                Op('Q');
                break;
            case object?[] tuple: Tuple(tuple); break;
            case List<object?> list:
                Op(']').Op('(');
                foreach (object? item in list) Write(item);
                Op('e');
                break;
            case (string, object?)[] dictionary:
                Op('}');
                if (dictionary.Length > 0) Items(dictionary);
                break;
            case string or PythonGlobal: break; // recalled
            default: throw new ArgumentException($"{value.GetType()} is not written.");
        }
    }

    private void Items((string Key, object? Value)[] items)
    {
        Op('(');
        foreach (var (key, item) in items)
        {
            Write(key);
            Write(item);
        }

        Op('u');
    }

    private void Tuple(object?[] items)
    {
        if (items.Length > 3) Op('(');
        foreach (object? item in items) Write(item);
        Op(items.Length switch { 0 => (byte)')', <= 3 => (byte)(0x84 + items.Length), _ => (byte)'t' });
    }

    private bool Recall(object value)
    {
        if (!_memo.TryGetValue(value, out uint index)) return false;
        if (index < 256) Op('h').Op((byte)index);
        else Op('j').Number(index, 4);
        return true;
    }

    private void Remember(object value)
    {
        uint index = (uint)_memo.Count;
        _memo.Add(value, index);
        if (protocol >= 4) Op(0x94);
        else if (index < 256) Op('q').Op((byte)index);
        else Op('r').Number(index, 4);
    }

    private PickleWriter Op(char code) => Op((byte)code);

    private PickleWriter Op(byte code)
    {
        _stream.WriteByte(code);
        return this;
    }

    private PickleWriter Number(long value, int bytes)
    {
        for (int i = 0; i < bytes; i++) _stream.WriteByte((byte)(value >> (8 * i)));
        return this;
    }
}

/// <summary>A class or function.</summary>
internal sealed record PythonGlobal(string Module, string Name);

/// <summary>A call, whose result is then given items and a state.</summary>
internal sealed record PythonCall(PythonGlobal Function, object?[] Arguments, (string Key, object? Value)[]? Items = null, object? State = null);

/// <summary>An object that is kept outside of the pickle.</summary>
internal sealed record PythonPersistent(object?[] Id);
