using System.Numerics;
using System.Runtime.CompilerServices;

namespace MLComponents.Tokenization;

/// <summary>Equality and hashes of keys as Python has them: 1, 1.0 and True are the same key.</summary>
internal sealed class KeyComparer(RenderContext context) : IEqualityComparer<object>
{
    public new bool Equals(object? left, object? right) => (left is string text && right is string other) ? text == other : Comparison.Equal(context, left, right);

    public int GetHashCode(object value)
    {
        context.Step();
        return value switch
        {
            string text => text.GetHashCode(),
            MarkupText markup => markup.Text.GetHashCode(),
            bool truth => truth ? 1 : 0,
            long number => number.GetHashCode(),
            double number => Math.Abs(number) < 1e18 && Math.Floor(number) == number ? ((long)number).GetHashCode() : Numbers.IsIntegral(number) ? new BigInteger(number).GetHashCode() : number.GetHashCode(),
            BigInteger number => number.GetHashCode(),
            TupleValue tuple => tuple.Items.Aggregate(17, (hash, item) => (hash * 31) + (item is null ? 7 : GetHashCode(item))),
            ListValue or DictValue => throw Fault.Type($"unhashable type: '{ValueTypes.Name(value)}'"),
            UndefinedValue => 1,
            _ => RuntimeHelpers.GetHashCode(value),
        };
    }
}
