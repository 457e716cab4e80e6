using System.Runtime.CompilerServices;

namespace MLComponents.Tokenization;

/// <summary>Makes a tree of a template.</summary>
internal sealed partial class TemplateParser
{
    private const int MaxNesting = 300;

    private readonly TemplateLexer _lexer;
    private readonly List<string> _tags = [];
    private readonly List<string[]> _endTags = [];
    private readonly List<SpecialNames> _macros = [];
    private readonly Dictionary<string, BlockStatement> _blocks = new(StringComparer.Ordinal);
    private readonly List<ChatTemplateException> _assertions = [];
    private readonly List<ChatTemplateException> _unknown = []; // filters and tests that may stand in a branch that is never taken
    private ChatTemplateException? _strayControl;
    private TemplateToken _current;
    private TemplateToken? _peeked;
    private int _nesting;
    private int _loops; // that break and continue can leave
    private int _insideFor;
    private bool _hasGenerations;

    private TemplateParser(string source)
    {
        _lexer = new TemplateLexer(source);
        _current = _lexer.Next();
    }

    /// <summary>Parses a template.</summary>
    /// <exception cref="ChatTemplateException">It is wrong.</exception>
    public static (Statement Body, IReadOnlyDictionary<string, BlockStatement> Blocks, bool HasGenerations) Parse(string source)
    {
        var parser = new TemplateParser(source);
        try
        {
            Statement body = parser.ParseBody([]);
            ChatTemplateException? wrong = parser._assertions.Concat(parser._unknown).OrderBy(problem => (problem.Line, problem.Column)).FirstOrDefault() ?? parser._strayControl;
            return wrong is null ? (body, parser._blocks, parser._hasGenerations) : throw wrong;
        }
        catch (Fault fault)
        {
            throw new ChatTemplateException(fault.Kind, fault.Message, parser._current.Position.Line, parser._current.Position.Column, fault);
        }
    }

    // Statements up to a tag that ends them, which becomes the current token.
    private StatementList ParseBody(string[] endTags)
    {
        var statements = new List<Statement>();
        if (endTags.Length > 0) _endTags.Add(endTags);
        Nest();
        while (_current.Type != TokenType.End)
        {
            TemplateToken token = Take();
            if (token.Type == TokenType.Data)
            {
                statements.Add(new TextStatement((string)token.Value!));
            }
            else if (token.Type == TokenType.VariableBegin)
            {
                statements.Add(new PrintStatement([ParseTuple()]));
                Expect(TokenType.VariableEnd);
            }
            else
            {
                if (_current.Type == TokenType.Name && endTags.Contains((string)_current.Value!)) break;
                statements.Add(ParseStatement());
                Expect(TokenType.BlockEnd);
            }
        }

        _nesting--;
        if (endTags.Length > 0) _endTags.RemoveAt(_endTags.Count - 1);
        return new StatementList(statements);
    }

    // The body of a block, behind the rest of its first tag.
    private StatementList ParseStatements(params string[] endTags)
    {
        if (_current.IsOperator(":")) Take();
        Expect(TokenType.BlockEnd);
        StatementList body = ParseBody(endTags);
        if (_current.Type != TokenType.End) return body;
        _endTags.Add(endTags);
        throw UnknownTag(null, _current.Position);
    }

    private StatementList ParseStatementsTo(string endTag)
    {
        StatementList body = ParseStatements(endTag);
        Take();
        return body;
    }

    private TemplateToken Take()
    {
        TemplateToken taken = _current;
        _current = _peeked ?? _lexer.Next();
        _peeked = null;
        return taken;
    }

    private TemplateToken Peek() => _peeked ??= _lexer.Next();

    private bool Skip(string name)
    {
        if (!_current.Is(name)) return false;
        Take();
        return true;
    }

    private bool SkipOperator(string symbol)
    {
        if (!_current.IsOperator(symbol)) return false;
        Take();
        return true;
    }

    private TemplateToken Expect(TokenType type) => _current.Type == type ? Take() : throw Unexpected(TemplateToken.Describe(type));

    private void ExpectOperator(string symbol)
    {
        if (!SkipOperator(symbol)) throw Unexpected(symbol);
    }

    private void ExpectName(string name)
    {
        if (!Skip(name)) throw Unexpected(name);
    }

    private void Nest()
    {
        if (++_nesting > MaxNesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new ChatTemplateException(ChatTemplateErrorKind.Limit, $"The template is nested more than {MaxNesting} deep.", _current.Position.Line, _current.Position.Column);
    }

    private ChatTemplateException Unexpected(string expected) => _current.Type == TokenType.End
        ? Wrong($"unexpected end of template, expected {ValueText.Quote(expected)}.")
        : Wrong($"expected token {ValueText.Quote(expected)}, got {ValueText.Quote(_current.Description)}");

    private ChatTemplateException Wrong(string reason, Position? place = null, ChatTemplateErrorKind kind = ChatTemplateErrorKind.Syntax) =>
        new(kind, reason, (place ?? _current.Position).Line, (place ?? _current.Position).Column);

    private ChatTemplateException UnknownTag(string? name, Position place)
    {
        string reason = name is null ? "Unexpected end of template." : $"Encountered unknown tag {ValueText.Quote(name)}.";
        if (_endTags.Count > 0)
        {
            string wanted = string.Join(" or ", _endTags[^1].Select(ValueText.Quote));
            reason += name is not null && _endTags.Any(tags => tags.Contains(name))
                ? $" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {wanted}."
                : $" Jinja was looking for the following tags: {wanted}.";
        }

        if (_tags.Count > 0) reason += $" The innermost block that needs to be closed is {ValueText.Quote(_tags[^1])}.";
        return Wrong(reason, place);
    }

    /// <summary>Which of the names caller, varargs and kwargs the body of a macro uses without setting them.</summary>
    private sealed class SpecialNames
    {
        private readonly HashSet<string> _set = [];

        public HashSet<string> Used { get; } = [];

        public void Load(string name)
        {
            if (name is "caller" or "varargs" or "kwargs" && !_set.Contains(name)) Used.Add(name);
        }

        public void Store(string name) => _set.Add(name);
    }
}
