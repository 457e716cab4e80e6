using System.Numerics;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Arithmetic, and joining of texts and lists, as Python has it.</summary>
internal static class Operators
{
    public static object? Binary(RenderContext context, string symbol, object? left, object? right)
    {
        if (left is UndefinedValue undefined) throw undefined.Failure();
        if (symbol == "%" && ValueTypes.Text(left) is { } format)
        {
            string formatted = PercentFormat.Format(context, format, right, escape: left is MarkupText);
            return left is MarkupText ? new MarkupText(formatted) : formatted;
        }

        if (right is UndefinedValue missing) throw missing.Failure();
        if (left is long first && right is long second && Whole(symbol, first, second) is { } quick) return quick;
        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
        {
            if (symbol == "/" || left is double || right is double) return Real(symbol, left!, right!);
            Numbers.TryWhole(left, out BigInteger number);
            Numbers.TryWhole(right, out BigInteger other);
            return Whole(symbol, number, other);
        }

        return symbol switch
        {
            "+" => Add(context, left, right),
            "*" when left is string or MarkupText or SequenceValue && right is bool or long or BigInteger => Repeat(context, left, right),
            "*" when right is string or MarkupText or SequenceValue && left is bool or long or BigInteger => Repeat(context, right, left),
            "*" when left is string or MarkupText or SequenceValue => throw Fault.Type($"can't multiply sequence by non-int of type '{ValueTypes.Name(right)}'"),
            "*" when right is string or MarkupText or SequenceValue => throw Fault.Type($"can't multiply sequence by non-int of type '{ValueTypes.Name(left)}'"),
            _ => throw Unsupported(symbol, left, right),
        };
    }

    public static object? Negate(object? value) => value switch
    {
        UndefinedValue undefined => throw undefined.Failure(),
        long and not long.MinValue => -(long)value,
        double number => -number,
        _ when Numbers.TryWhole(value, out BigInteger number) => Numbers.Whole(-number),
        _ => throw Fault.Type($"bad operand type for unary -: '{ValueTypes.Name(value)}'"),
    };

    public static object? Plus(object? value) => value switch
    {
        UndefinedValue undefined => throw undefined.Failure(),
        bool truth => truth ? 1L : 0L,
        _ when Numbers.IsNumber(value) => value,
        _ => throw Fault.Type($"bad operand type for unary +: '{ValueTypes.Name(value)}'"),
    };

    private static object Add(RenderContext context, object? left, object? right)
    {
        if (left is string text && right is string other)
        {
            context.Charge((long)text.Length + other.Length);
            return text + other;
        }

        if ((left is MarkupText && right is string or MarkupText) || (right is MarkupText && left is string))
            return new MarkupText(context.Made(MarkupText.Of(context, left) + MarkupText.Of(context, right)));
        if ((left is ListValue && right is ListValue) || (left is TupleValue && right is TupleValue))
        {
            object?[] first = ((SequenceValue)left).Items, second = ((SequenceValue)right!).Items;
            context.Charge((long)first.Length + second.Length);
            return ((SequenceValue)left).With([.. first, .. second]);
        }

        throw left switch
        {
            string or MarkupText => Fault.Type($"can only concatenate str (not \"{ValueTypes.Name(right)}\") to str"),
            SequenceValue => Fault.Type($"can only concatenate {ValueTypes.Name(left)} (not \"{ValueTypes.Name(right)}\") to {ValueTypes.Name(left)}"),
            _ => Unsupported("+", left, right),
        };
    }

    private static object Repeat(RenderContext context, object? value, object? times)
    {
        if (times is BigInteger) throw Fault.Value("cannot fit 'int' into an index-sized integer");
        Numbers.TryIndex(times, out long count);
        count = Math.Max(count, 0);
        if (value is SequenceValue sequence)
        {
            context.Charge(SafeProduct(sequence.Items.Length, count));
            return sequence.With([.. Enumerable.Range(0, sequence.Items.Length == 0 ? 0 : (int)count).SelectMany(_ => sequence.Items)]);
        }

        string text = ValueTypes.Text(value)!;
        context.Charge(SafeProduct(text.Length, count));
        string repeated = text.Length == 0 ? "" : new StringBuilder(text.Length * (int)count).Insert(0, text, (int)count).ToString();
        return value is MarkupText ? new MarkupText(repeated) : repeated;
    }

    private static long SafeProduct(long size, long count) => size == 0 ? 0 : count > int.MaxValue ? long.MaxValue : size * count;

    // Null where the result does not fit, or needs care.
    private static object? Whole(string symbol, long left, long right)
    {
        switch (symbol)
        {
            case "+" when !OverflowsAdd(left, right): return left + right;
            case "-" when right != long.MinValue && !OverflowsAdd(left, -right): return left - right;
            case "//" when right > 0: return left >= 0 ? left / right : -((-(left + 1)) / right) - 1;
            case "%" when right > 0: return left % right is var rest && rest < 0 ? rest + right : left % right;
            default: return null;
        }
    }

    private static bool OverflowsAdd(long left, long right) => right > 0 ? left > long.MaxValue - right : left < long.MinValue - right;

    private static object Whole(string symbol, BigInteger left, BigInteger right)
    {
        switch (symbol)
        {
            case "+": return Numbers.Whole(left + right);
            case "-": return Numbers.Whole(left - right);
            case "*": return Numbers.Whole(left * right);
            case "//" or "%":
                if (right.IsZero) throw Fault.Value(symbol == "%" ? "integer modulo by zero" : "integer division or modulo by zero");
                BigInteger quotient = BigInteger.DivRem(left, right, out BigInteger rest);
                bool down = !rest.IsZero && rest.Sign != right.Sign;
                return Numbers.Whole(symbol == "%" ? (down ? rest + right : rest) : (down ? quotient - 1 : quotient));
            default:
                if (right.Sign < 0) return left.IsZero ? throw Fault.Value("0.0 cannot be raised to a negative power") : Math.Pow((double)left, (double)right);
                if (!left.IsZero && !left.IsOne && left != BigInteger.MinusOne && (right > 20_000 || left.GetBitLength() * (long)right > 20_000))
                    throw Fault.Limit("The template computes a whole number of more than 4200 digits.");
                return Numbers.Whole(left.IsZero || left.IsOne ? (right.IsZero ? 1 : left) : left == BigInteger.MinusOne ? (right.IsEven ? 1 : -1) : BigInteger.Pow(left, (int)right));
        }
    }

    private static object Real(string symbol, object leftValue, object rightValue)
    {
        if (symbol == "/" && Numbers.TryWhole(leftValue, out BigInteger numerator) && Numbers.TryWhole(rightValue, out BigInteger denominator) && !denominator.IsZero
            && (BigInteger.Abs(numerator) > 1L << 53 || BigInteger.Abs(denominator) > 1L << 53))
            return DivideExactly(numerator, denominator);
        double left = Numbers.ToDouble(leftValue), right = Numbers.ToDouble(rightValue);
        switch (symbol)
        {
            case "+": return left + right;
            case "-": return left - right;
            case "*": return left * right;
            case "/": return right == 0 ? throw Fault.Value(leftValue is double || rightValue is double ? "float division by zero" : "division by zero") : left / right;
            case "**":
                if (left == 0 && right < 0) throw Fault.Value("0.0 cannot be raised to a negative power");
                if (left < 0 && double.IsFinite(left) && double.IsFinite(right) && Math.Floor(right) != right) throw Fault.Refused("A complex number");
                double power = Math.Pow(left, right);
                return double.IsInfinity(power) && double.IsFinite(left) && double.IsFinite(right) ? throw Fault.Value("(34, 'Numerical result out of range')") : power;
        }

        if (right == 0) throw Fault.Value(symbol == "%" ? "float modulo" : "float floor division by zero");
        double rest = left % right;
        double quotient = (left - rest) / right;
        if (rest != 0 && (right < 0) != (rest < 0))
        {
            rest += right;
            quotient -= 1;
        }
        else if (rest == 0)
        {
            rest = Math.CopySign(0, right);
        }

        if (symbol == "%") return rest;
        if (quotient == 0) return Math.CopySign(0, left / right);
        double floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    // Correctly rounded, as Python divides large whole numbers.
    private static object DivideExactly(BigInteger numerator, BigInteger denominator)
    {
        int shift = (int)(60 - (numerator.GetBitLength() - denominator.GetBitLength()));
        (BigInteger top, BigInteger bottom) = (BigInteger.Abs(numerator), BigInteger.Abs(denominator));
        if (shift > 0) top <<= shift;
        else bottom <<= -shift;
        BigInteger quotient = BigInteger.DivRem(top, bottom, out BigInteger rest);
        if (!rest.IsZero) quotient |= 1; // sticky
        double value = Math.ScaleB((double)(ulong)quotient, -shift);
        if (double.IsInfinity(value)) throw Fault.Value("integer division result too large for a float");
        return numerator.Sign == denominator.Sign || numerator.IsZero ? value : -value;
    }

    private static Fault Unsupported(string symbol, object? left, object? right) =>
        Fault.Type($"unsupported operand type(s) for {(symbol == "**" ? "** or pow()" : symbol)}: '{ValueTypes.Name(left)}' and '{ValueTypes.Name(right)}'");
}
