namespace MLComponents.Tokenization;

/// <content>Expressions, from what binds loosest to what binds tightest.</content>
internal sealed partial class TemplateParser
{
    private Expression ParseTuple(bool simple = false, bool conditional = true, string? end = null, bool inParentheses = false, bool withNamespace = false)
    {
        Position place = _current.Position;
        var items = new List<Expression>();
        bool isTuple = false;
        while (true)
        {
            if (items.Count > 0) ExpectOperator(",");
            if (_current.Type is TokenType.VariableEnd or TokenType.BlockEnd || _current.IsOperator(")") || (end is not null && _current.Is(end))) break;
            items.Add(simple ? ParsePrimary(withNamespace) : conditional ? ParseExpression() : ParseOr());
            if (!_current.IsOperator(",")) break;
            isTuple = true;
        }

        if (isTuple || (items.Count == 0 && inParentheses)) return new TupleExpression(items, place);
        return items.Count > 0 ? items[0] : throw Wrong($"Expected an expression, got {ValueText.Quote(_current.Description)}");
    }

    private Expression ParseExpression()
    {
        Nest();
        Position place = _current.Position;
        int unknown = _unknown.Count;
        Expression then = ParseOr();
        while (Skip("if"))
        {
            Expression condition = ParseOr();
            Expression? otherwise = Skip("else") ? ParseExpression() : null;
            then = new ConditionalExpression(condition, then, otherwise, place);
            Forgive(unknown);
        }

        _nesting--;
        return then;
    }

    private Expression ParseOr()
    {
        Expression left = ParseAnd();
        while (_current.Is("or"))
        {
            Position place = Take().Position;
            left = new LogicalExpression(isAnd: false, left, ParseAnd(), place);
        }

        return left;
    }

    private Expression ParseAnd()
    {
        Expression left = ParseNot();
        while (_current.Is("and"))
        {
            Position place = Take().Position;
            left = new LogicalExpression(isAnd: true, left, ParseNot(), place);
        }

        return left;
    }

    private Expression ParseNot()
    {
        if (!_current.Is("not")) return ParseComparison();
        Nest();
        Position place = Take().Position;
        var negated = new NotExpression(ParseNot(), place);
        _nesting--;
        return negated;
    }

    private Expression ParseComparison()
    {
        Position place = _current.Position;
        Expression first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (_current.Type == TokenType.Operator && (string)_current.Value! is "==" or "!=" or "<" or "<=" or ">" or ">=")
            {
                string symbol = (string)Take().Value!;
                rest.Add((symbol, ParseSum()));
            }
            else if (Skip("in"))
            {
                rest.Add(("in", ParseSum()));
            }
            else if (_current.Is("not") && Peek().Is("in"))
            {
                Take();
                Take();
                rest.Add(("not in", ParseSum()));
            }
            else
            {
                return rest.Count == 0 ? first : new ComparisonExpression(first, rest, place);
            }
        }
    }

    private Expression ParseSum()
    {
        Expression left = ParseConcatenation();
        while (_current.IsOperator("+") || _current.IsOperator("-"))
        {
            TemplateToken symbol = Take();
            left = new BinaryExpression((string)symbol.Value!, left, ParseConcatenation(), symbol.Position);
        }

        return left;
    }

    private Expression ParseConcatenation()
    {
        Position place = _current.Position;
        Expression first = ParseProduct();
        if (!_current.IsOperator("~")) return first;
        var parts = new List<Expression> { first };
        while (SkipOperator("~")) parts.Add(ParseProduct());
        return new ConcatenationExpression(parts, place);
    }

    private Expression ParseProduct()
    {
        Expression left = ParsePower();
        while (_current.Type == TokenType.Operator && (string)_current.Value! is "*" or "/" or "//" or "%")
        {
            TemplateToken symbol = Take();
            left = new BinaryExpression((string)symbol.Value!, left, ParsePower(), symbol.Position);
        }

        return left;
    }

    private Expression ParsePower()
    {
        Expression left = ParseUnary();
        while (_current.IsOperator("**"))
        {
            Position place = Take().Position;
            left = new BinaryExpression("**", left, ParseUnary(), place);
        }

        return left;
    }

    private Expression ParseUnary(bool withFilters = true)
    {
        Nest();
        Position place = _current.Position;
        Expression parsed = SkipOperator("-") ? new SignExpression(negative: true, ParseUnary(withFilters: false), place)
            : SkipOperator("+") ? new SignExpression(negative: false, ParseUnary(withFilters: false), place)
            : ParsePrimary();
        parsed = ParsePostfix(parsed);
        if (withFilters) parsed = ParseFiltersAndTests(parsed);
        _nesting--;
        return parsed;
    }

    private Expression ParsePrimary(bool withNamespace = false)
    {
        TemplateToken token = _current;
        switch (token.Type)
        {
            case TokenType.Name:
                Take();
                string name = (string)token.Value!;
                if (name is "true" or "True" or "false" or "False") return new ConstantExpression(name is "true" or "True", token.Position);
                if (name is "none" or "None") return new ConstantExpression(null, token.Position);
                if (withNamespace && SkipOperator(".")) return new NamespaceReference(name, (string)Expect(TokenType.Name).Value!, token.Position);
                foreach (SpecialNames macro in _macros) macro.Load(name);
                return new NameExpression(name, token.Position);
            case TokenType.String:
                Take();
                string text = (string)token.Value!;
                while (_current.Type == TokenType.String) text += (string)Take().Value!;
                return new ConstantExpression(text, token.Position);
            case TokenType.Integer or TokenType.Float:
                return new ConstantExpression(Take().Value, token.Position);
            case TokenType.Operator when SkipOperator("("):
                Nest();
                Expression inner = ParseTuple(inParentheses: true);
                ExpectOperator(")");
                _nesting--;
                return inner;
            case TokenType.Operator when SkipOperator("["):
                return new ListExpression(ParseItems("]", ParseExpression), token.Position);
            case TokenType.Operator when SkipOperator("{"):
                return new DictExpression(ParseItems("}", () =>
                {
                    Expression key = ParseExpression();
                    ExpectOperator(":");
                    return (key, ParseExpression());
                }), token.Position);
            default:
                throw Wrong($"unexpected {ValueText.Quote(token.Description)}");
        }
    }

    private List<T> ParseItems<T>(string close, Func<T> parse)
    {
        var items = new List<T>();
        while (!_current.IsOperator(close))
        {
            if (items.Count > 0) ExpectOperator(",");
            if (_current.IsOperator(close)) break;
            items.Add(parse());
        }

        Take();
        return items;
    }

    private Expression ParsePostfix(Expression parsed)
    {
        while (true)
        {
            Position place = _current.Position;
            if (SkipOperator(".")) parsed = ParseMember(parsed, place);
            else if (SkipOperator("[")) parsed = ParseSubscript(parsed, place);
            else if (_current.IsOperator("(")) parsed = new CallExpression(parsed, ParseArguments(), place);
            else return parsed;
        }
    }

    private Expression ParseMember(Expression target, Position place)
    {
        TemplateToken member = Take();
        return member.Type switch
        {
            TokenType.Name => new AttributeExpression(target, (string)member.Value!, member.Position),
            TokenType.Integer => new ItemExpression(target, new ConstantExpression(member.Value, member.Position), place),
            _ => throw Wrong("expected name or number", member.Position),
        };
    }

    private Expression ParseSubscript(Expression target, Position place)
    {
        var items = new List<Expression>();
        var slices = new List<SliceExpression?>();
        while (!_current.IsOperator("]"))
        {
            if (items.Count > 0) ExpectOperator(",");
            items.Add(ParseSubscribed(target, place, out SliceExpression? slice));
            slices.Add(slice);
        }

        Take();
        return items.Count == 1 ? slices[0] ?? (Expression)new ItemExpression(target, items[0], place) : new ItemExpression(target, new TupleExpression(items, place), place);
    }

    private Expression ParseSubscribed(Expression target, Position place, out SliceExpression? slice)
    {
        slice = null;
        Expression? start = null;
        if (!_current.IsOperator(":"))
        {
            start = ParseExpression();
            if (!_current.IsOperator(":")) return start;
        }

        Take();
        Expression? stop = _current.IsOperator(":") || AtEnd() ? null : ParseExpression();
        Expression? step = SkipOperator(":") && !AtEnd() ? ParseExpression() : null;
        return slice = new SliceExpression(target, start, stop, step, place);

        bool AtEnd() => _current.IsOperator("]") || _current.IsOperator(",");
    }

    private ArgumentList ParseArguments()
    {
        TemplateToken open = Take();
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? rest = null, restNamed = null;
        bool any = false;
        while (!_current.IsOperator(")"))
        {
            if (any) ExpectOperator(",");
            if (any && _current.IsOperator(")")) break;
            if (_current.IsOperator("*"))
            {
                Ensure(rest is null && restNamed is null);
                Take();
                rest = ParseExpression();
            }
            else if (_current.IsOperator("**"))
            {
                Ensure(restNamed is null);
                Take();
                restNamed = ParseExpression();
            }
            else if (_current.Type == TokenType.Name && Peek().IsOperator("="))
            {
                Ensure(restNamed is null);
                string name = (string)Take().Value!;
                Take();
                named.Add((name, ParseExpression()));
            }
            else
            {
                Ensure(rest is null && restNamed is null && named.Count == 0);
                positional.Add(ParseExpression());
            }

            any = true;
        }

        Take();
        return any ? new ArgumentList(positional, named, rest, restNamed) : ArgumentList.None;

        void Ensure(bool valid)
        {
            if (!valid) throw Wrong("invalid syntax for function call expression", open.Position);
        }
    }

    private Expression ParseFiltersAndTests(Expression parsed)
    {
        while (true)
        {
            if (_current.IsOperator("|")) parsed = ParseFilters(parsed, inline: false)!;
            else if (_current.Is("is")) parsed = ParseTest(parsed);
            else if (_current.IsOperator("(")) parsed = new CallExpression(parsed, ParseArguments(), _current.Position);
            else return parsed;
        }
    }

    private Expression? ParseFilters(Expression? parsed, bool inline)
    {
        while (inline || _current.IsOperator("|"))
        {
            if (!inline) Take();
            inline = false;
            TemplateToken token = Expect(TokenType.Name);
            string name = ParseDotted((string)token.Value!);
            ArgumentList arguments = _current.IsOperator("(") ? ParseArguments() : ArgumentList.None;
            if (!FilterTable.Has(name)) _unknown.Add(Wrong($"No filter named {ValueText.Quote(name)}.", token.Position, ChatTemplateErrorKind.Assertion));
            parsed = new FilterExpression(parsed, name, arguments, token.Position);
        }

        return parsed;
    }

    private Expression ParseTest(Expression target)
    {
        Position place = Take().Position;
        bool negated = Skip("not");
        TemplateToken token = Expect(TokenType.Name);
        string name = ParseDotted((string)token.Value!);
        ArgumentList arguments = ArgumentList.None;
        if (_current.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (_current.Type is TokenType.Name or TokenType.String or TokenType.Integer or TokenType.Float || _current.IsOperator("[") || _current.IsOperator("{"))
        {
            if (!_current.Is("else") && !_current.Is("or") && !_current.Is("and"))
            {
                if (_current.Is("is")) throw Wrong("You cannot chain multiple tests with is");
                arguments = new ArgumentList([ParsePostfix(ParsePrimary())], [], null, null);
            }
        }

        if (!TestTable.Has(name)) _unknown.Add(Wrong($"No test named {ValueText.Quote(name)}.", token.Position, ChatTemplateErrorKind.Assertion));
        Expression test = new TestExpression(target, name, arguments, place);
        return negated ? new NotExpression(test, place) : test;
    }

    private string ParseDotted(string name)
    {
        while (SkipOperator(".")) name += "." + (string)Expect(TokenType.Name).Value!;
        return name;
    }

    /// <summary><c>space.attribute</c> where it is assigned to.</summary>
    private sealed class NamespaceReference(string space, string attribute, Position position) : Expression(position)
    {
        public string Space => space;

        public string Attribute => attribute;

        public override object? Evaluate(RenderContext context, Scope scope) => throw new InvalidOperationException("A target has no value.");
    }
}
