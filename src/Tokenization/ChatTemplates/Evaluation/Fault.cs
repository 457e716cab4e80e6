namespace MLComponents.Tokenization;

/// <summary>
/// An error on the way, which does not know where in the template it happened; rendering and compiling turn it into a
/// <see cref="ChatTemplateException"/>.
/// </summary>
internal sealed class Fault(ChatTemplateErrorKind kind, string reason) : Exception(reason)
{
    public ChatTemplateErrorKind Kind => kind;

    public static Fault Type(string reason) => new(ChatTemplateErrorKind.Value, reason);

    public static Fault Value(string reason) => new(ChatTemplateErrorKind.Value, reason);

    public static Fault Runtime(string reason) => new(ChatTemplateErrorKind.Runtime, reason);

    public static Fault Limit(string reason) => new(ChatTemplateErrorKind.Limit, reason);

    /// <summary>The error for something that is valid Jinja but that this engine does not do.</summary>
    public static Fault Refused(string what) => new(ChatTemplateErrorKind.Runtime, $"{what} is not supported in chat templates here.");
}
