namespace MLComponents.Tokenization;

/// <content>Tags.</content>
internal sealed partial class TemplateParser
{
    private Statement ParseStatement()
    {
        TemplateToken tag = _current;
        if (tag.Type != TokenType.Name) throw Wrong("tag name expected");
        string name = (string)tag.Value!;
        _tags.Add(name);
        Statement? statement = name switch
        {
            "for" => ParseFor(),
            "if" => ParseIf(),
            "set" => ParseSet(),
            "macro" => ParseMacro(),
            "call" => ParseCallBlock(),
            "filter" => ParseFilterBlock(),
            "with" => ParseWith(),
            "generation" => ParseGeneration(),
            "break" or "continue" => ParseLoopControl(),
            "block" => ParseBlock(),
            "print" => ParsePrint(),
            "autoescape" => ParseAutoescape(),
            "include" or "extends" or "import" or "from" => ParseOtherTemplate(name),
            _ => null,
        };
        _tags.RemoveAt(_tags.Count - 1);
        return statement ?? throw UnknownTag(name, tag.Position);
    }

    private ForStatement ParseFor()
    {
        Position place = Take().Position;
        _insideFor++;
        Target target = ParseTarget("in");
        ExpectName("in");
        _insideFor--;
        Expression source = ParseTuple(conditional: false, end: "recursive");
        _insideFor++;
        int unknown = _unknown.Count;
        Expression? condition = Skip("if") ? ParseExpression() : null;
        bool recursive = Skip("recursive");
        _loops++;
        Statement body = ParseStatements("endfor", "else");
        _loops--;
        Statement? otherwise = Take().Is("else") ? ParseStatementsTo("endfor") : null;
        _insideFor--;
        Confirm(unknown);
        return new ForStatement(target, source, condition, recursive, body, otherwise, place);
    }

    private IfStatement ParseIf()
    {
        int unknown = _unknown.Count;
        var branches = new List<(Expression, Statement)>();
        Statement? otherwise = null;
        while (true)
        {
            Take();
            Expression condition = ParseTuple(conditional: false);
            branches.Add((condition, ParseStatements("elif", "else", "endif")));
            if (_current.Is("elif")) continue;
            if (Take().Is("else")) otherwise = ParseStatementsTo("endif");
            break;
        }

        Forgive(unknown);
        return new IfStatement(branches, otherwise);
    }

    private Statement ParseSet()
    {
        Take();
        Target target = ParseTarget(null, withNamespace: true);
        if (SkipOperator("=")) return new SetStatement(target, ParseTuple());
        int unknown = _unknown.Count;
        FilterExpression? filter = ParseFilters(null, inline: false) as FilterExpression;
        Statement body = ParseStatementsTo("endset");
        Confirm(unknown);
        return new SetBlockStatement(target, filter, body);
    }

    private MacroStatement ParseMacro()
    {
        Take();
        string name = ParseNameTarget();
        ExpectOperator("(");
        return new MacroStatement(ParseMacroBody(name, ParseParameters(), "endmacro"));
    }

    private CallBlockStatement ParseCallBlock()
    {
        Position place = Take().Position;
        IReadOnlyList<MacroParameter> parameters = SkipOperator("(") ? ParseParameters() : [];
        Expression call = ParseExpression();
        if (call is not CallExpression expression) throw Wrong("expected call", place);
        return new CallBlockStatement(expression, ParseMacroBody(null, parameters, "endcall"));
    }

    private List<MacroParameter> ParseParameters()
    {
        var parameters = new List<MacroParameter>();
        while (!_current.IsOperator(")"))
        {
            if (parameters.Count > 0) ExpectOperator(",");
            string name = ParseNameTarget();
            Expression? missing = SkipOperator("=") ? ParseExpression() : null;
            if (missing is null && parameters.Count > 0 && parameters[^1].Default is not null) throw Wrong("non-default argument follows default argument");
            parameters.Add(new MacroParameter(name, missing));
        }

        Take();
        return parameters;
    }

    private MacroDefinition ParseMacroBody(string? name, IReadOnlyList<MacroParameter> parameters, string endTag)
    {
        int unknown = _unknown.Count, loops = _loops;
        Position place = _current.Position;
        var names = new SpecialNames();
        _macros.Add(names);
        _loops = 0;
        Statement body = ParseStatementsTo(endTag);
        _loops = loops;
        _macros.RemoveAt(_macros.Count - 1);
        Confirm(unknown);
        if (names.Used.Contains("caller") && parameters.Any(parameter => parameter is { Name: "caller", Default: null }))
            _assertions.Add(Wrong("When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.", place, ChatTemplateErrorKind.Assertion));
        bool Takes(string special) => names.Used.Contains(special) && parameters.All(parameter => parameter.Name != special);
        return new MacroDefinition(name, parameters, body, names.Used.Contains("caller"), Takes("varargs"), Takes("kwargs"));
    }

    private FilterBlockStatement ParseFilterBlock()
    {
        Take();
        int unknown = _unknown.Count;
        var filter = (FilterExpression)ParseFilters(null, inline: true)!;
        Statement body = ParseStatementsTo("endfilter");
        Confirm(unknown);
        return new FilterBlockStatement(filter, body);
    }

    private WithStatement ParseWith()
    {
        Take();
        var variables = new List<(Target, Expression)>();
        while (_current.Type != TokenType.BlockEnd)
        {
            if (variables.Count > 0) ExpectOperator(",");
            Target target = ParseTarget(null);
            ExpectOperator("=");
            variables.Add((target, ParseExpression()));
        }

        int unknown = _unknown.Count;
        Statement body = ParseStatementsTo("endwith");
        Confirm(unknown);
        return new WithStatement(variables, body);
    }

    // A call block of its own kind: what it sets stays in it, and no loop around it can be left from inside.
    private GenerationStatement ParseGeneration()
    {
        Take();
        int unknown = _unknown.Count, loops = _loops;
        _loops = 0;
        Statement body = ParseStatementsTo("endgeneration");
        _loops = loops;
        Confirm(unknown);
        _hasGenerations = true;
        return new GenerationStatement(body);
    }

    private LoopControlStatement ParseLoopControl()
    {
        TemplateToken control = Take();
        if (_loops == 0) _strayControl ??= Wrong($"'{control.Value}' outside loop", control.Position, ChatTemplateErrorKind.Value);
        return new LoopControlStatement(control.Is("break") ? Flow.Break : Flow.Continue);
    }

    private BlockStatement ParseBlock()
    {
        Position place = Take().Position;
        string name = (string)Expect(TokenType.Name).Value!;
        bool scoped = Skip("scoped"), required = Skip("required");
        if (_current.IsOperator("-")) throw Wrong("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.");
        int unknown = _unknown.Count, loops = _loops;
        _loops = 0;
        Statement body = ParseStatementsTo("endblock");
        _loops = loops;
        Confirm(unknown);
        if (required) _assertions.Add(Wrong("Required blocks are not supported in chat templates here.", place, ChatTemplateErrorKind.Assertion));
        Skip(name);
        var block = new BlockStatement(scoped, body);
        if (!_blocks.TryAdd(name, block)) _assertions.Add(Wrong($"block {ValueText.Quote(name)} defined twice", place, ChatTemplateErrorKind.Assertion));
        return block;
    }

    private PrintStatement ParsePrint()
    {
        Take();
        var values = new List<Expression>();
        while (_current.Type != TokenType.BlockEnd)
        {
            if (values.Count > 0) ExpectOperator(",");
            values.Add(ParseExpression());
        }

        return new PrintStatement(values);
    }

    private AutoescapeStatement ParseAutoescape()
    {
        Take();
        Expression value = ParseExpression();
        int unknown = _unknown.Count;
        Statement body = ParseStatementsTo("endautoescape");
        Confirm(unknown);
        return new AutoescapeStatement(value, body);
    }

    private OtherTemplateStatement ParseOtherTemplate(string tag)
    {
        Take();
        var statement = new OtherTemplateStatement(ParseExpression());
        if (tag == "import")
        {
            ExpectName("as");
            ParseNameTarget();
        }
        else if (tag == "from")
        {
            ExpectName("import");
            do
            {
                ParseNameTarget();
                if (Skip("as")) ParseNameTarget();
            }
            while (SkipOperator(","));
        }
        else if (tag == "include" && Skip("ignore"))
        {
            ExpectName("missing");
        }

        if (tag != "extends" && _current.Type == TokenType.Name && _current.Value is "with" or "without" && Peek().Is("context"))
        {
            Take();
            Take();
        }

        return statement;
    }

    private string ParseNameTarget()
    {
        TemplateToken token = Expect(TokenType.Name);
        string name = (string)token.Value!;
        if (name is "true" or "false" or "none" or "True" or "False" or "None") throw Wrong("can't assign to 'name'", token.Position);
        Store(name, token.Position);
        return name;
    }

    private Target ParseTarget(string? end, bool withNamespace = false)
    {
        Position place = _current.Position;
        Expression parsed = ParseTuple(simple: true, end: end, withNamespace: withNamespace);
        return ToTarget(parsed, place);
    }

    private Target ToTarget(Expression parsed, Position place)
    {
        switch (parsed)
        {
            case NameExpression name:
                Store(name.Name, name.Position);
                return new NameTarget(name.Name);
            case NamespaceReference reference:
                return new NamespaceTarget(reference.Space, reference.Attribute);
            case TupleExpression tuple:
                return new TupleTarget([.. tuple.Items.Select(item => ToTarget(item, place))]);
            default:
                string kind = parsed is ConstantExpression ? "const" : parsed is ListExpression ? "list" : parsed is DictExpression ? "dict" : "expression";
                throw Wrong($"can't assign to '{kind}'", place);
        }
    }

    private void Store(string name, Position place)
    {
        foreach (SpecialNames macro in _macros) macro.Store(name);
        if (name == "loop" && _insideFor > 0) _assertions.Add(Wrong("Can't assign to special loop variable in for-loop target", place, ChatTemplateErrorKind.Assertion));
    }

    // Jinja looks for filters and tests when it compiles, but in branches only when it gets there.
    private void Confirm(int from)
    {
        _assertions.AddRange(_unknown[from..]);
        Forgive(from);
    }

    private void Forgive(int from) => _unknown.RemoveRange(from, _unknown.Count - from);
}
