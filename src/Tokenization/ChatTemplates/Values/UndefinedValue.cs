namespace MLComponents.Tokenization;

/// <summary>What a name, key or index stands for that is not there. It can be printed, tested and iterated; all else fails.</summary>
internal sealed class UndefinedValue : IEquatable<UndefinedValue>
{
    private static readonly object NoOwner = new();

    private readonly string? _hint;
    private readonly object? _owner;
    private readonly object? _name;
    private readonly ChatTemplateErrorKind _kind = ChatTemplateErrorKind.Undefined;

    private UndefinedValue(string? hint, object? owner, object? name, ChatTemplateErrorKind kind) => (_hint, _owner, _name, _kind) = (hint, owner, name, kind);

    public static UndefinedValue OfName(string name) => new(null, NoOwner, name, ChatTemplateErrorKind.Undefined);

    public static UndefinedValue OfMember(object? owner, object? name) => new(null, owner, name, ChatTemplateErrorKind.Undefined);

    public static UndefinedValue Because(string hint) => new(hint, null, null, ChatTemplateErrorKind.Undefined);

    /// <summary>What stands for a member that templates must not touch.</summary>
    public static UndefinedValue Unsafe(object? owner, string name) =>
        new($"access to attribute '{name}' of '{ValueTypes.Name(owner)}' object is unsafe.", null, null, ChatTemplateErrorKind.Security);

    public Fault Failure() => new(_kind, Reason);

    private string Reason
    {
        get
        {
            if (_hint is not null) return _hint;
            if (ReferenceEquals(_owner, NoOwner)) return $"'{_name}' is undefined";
            string owner = _owner is null ? "None" : ValueTypes.FullName(_owner) + " object";
            return _name is string name ? $"'{owner}' has no attribute {ValueText.Quote(name)}" : $"{owner} has no element {ValueText.Plain(_name) ?? ValueTypes.Name(_name)}";
        }
    }

    public bool Equals(UndefinedValue? other) => other is not null;

    public override bool Equals(object? other) => other is UndefinedValue;

    public override int GetHashCode() => 1;
}
