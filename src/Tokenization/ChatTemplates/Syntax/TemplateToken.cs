namespace MLComponents.Tokenization;

/// <summary>What a token is.</summary>
internal enum TokenType
{
    Data,
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A token of a template. The value of a name, operator or text is a string, that of a number the number.</summary>
internal readonly record struct TemplateToken(TokenType Type, object? Value, Position Position)
{
    /// <summary>Whether it is a name.</summary>
    public bool Is(string name) => Type == TokenType.Name && (string)Value! == name;

    /// <summary>Whether it is an operator or bracket.</summary>
    public bool IsOperator(string symbol) => Type == TokenType.Operator && (string)Value! == symbol;

    /// <summary>As errors call it.</summary>
    public string Description => Type is TokenType.Name or TokenType.Operator ? (string)Value! : Describe(Type);

    public static string Describe(TokenType type) => type switch
    {
        TokenType.Data => "template data / text",
        TokenType.VariableBegin => "begin of print statement",
        TokenType.VariableEnd => "end of print statement",
        TokenType.BlockBegin => "begin of statement block",
        TokenType.BlockEnd => "end of statement block",
        TokenType.End => "end of template",
        _ => type.ToString().ToLowerInvariant(),
    };
}
