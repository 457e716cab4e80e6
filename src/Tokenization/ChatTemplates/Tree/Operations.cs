using System.Text;

namespace MLComponents.Tokenization;

internal sealed class BinaryExpression(string symbol, Expression left, Expression right, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        object? first = left.Evaluate(context, scope), second = right.Evaluate(context, scope);
        context.Position = Position;
        return Operators.Binary(context, symbol, first, second);
    }
}

internal sealed class SignExpression(bool negative, Expression operand, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        object? value = operand.Evaluate(context, scope);
        Enter(context);
        return negative ? Operators.Negate(value) : Operators.Plus(value);
    }
}

/// <summary>Texts joined by ~.</summary>
internal sealed class ConcatenationExpression(IReadOnlyList<Expression> parts, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        var text = new StringBuilder();
        foreach (Expression part in parts)
        {
            text.Append(ValueText.Str(context, part.Evaluate(context, scope)));
            if (text.Length > context.MaxText) context.Charge(text.Length);
        }

        return context.Made(text.ToString());
    }
}

internal sealed class NotExpression(Expression operand, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        return !ValueTypes.IsTrue(operand.Evaluate(context, scope));
    }
}

/// <summary><c>and</c>, <c>or</c>: the operand that decided.</summary>
internal sealed class LogicalExpression(bool isAnd, Expression left, Expression right, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        object? first = left.Evaluate(context, scope);
        return ValueTypes.IsTrue(first) == isAnd ? right.Evaluate(context, scope) : first;
    }
}

/// <summary>Comparisons in a row, which all must hold: <c>1 &lt; x &lt;= 3</c>.</summary>
internal sealed class ComparisonExpression(Expression first, IReadOnlyList<(string Symbol, Expression Operand)> rest, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        object? left = first.Evaluate(context, scope);
        foreach ((string symbol, Expression operand) in rest)
        {
            object? right = operand.Evaluate(context, scope);
            context.Position = Position;
            bool holds = symbol switch
            {
                "==" => Comparison.Equal(context, left, right),
                "!=" => !Comparison.Equal(context, left, right),
                "in" => Comparison.Contains(context, right, left),
                "not in" => !Comparison.Contains(context, right, left),
                _ => Comparison.Holds(context, symbol, left, right),
            };
            if (!holds) return false;
            left = right;
        }

        return true;
    }
}

/// <summary><c>a if condition else b</c>.</summary>
internal sealed class ConditionalExpression(Expression condition, Expression then, Expression? otherwise, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        if (ValueTypes.IsTrue(condition.Evaluate(context, scope))) return then.Evaluate(context, scope);
        return otherwise is null
            ? UndefinedValue.Because($"the inline if-expression on line {Position.Line} evaluated to false and no else section was defined.")
            : otherwise.Evaluate(context, scope);
    }
}
