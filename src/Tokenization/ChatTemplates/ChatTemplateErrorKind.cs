namespace MLComponents.Tokenization;

/// <summary>What is wrong with a chat template, or with what it was given.</summary>
public enum ChatTemplateErrorKind
{
    /// <summary>The text of the template is not Jinja.</summary>
    Syntax,

    /// <summary>The template names a filter or test that does not exist, or defines something twice.</summary>
    Assertion,

    /// <summary>The template itself refused its input by <c>raise_exception</c>.</summary>
    Raised,

    /// <summary>Something was done with an undefined value that can only be printed, tested or iterated.</summary>
    Undefined,

    /// <summary>The template reached for what templates must not touch, such as a method that changes a list.</summary>
    Security,

    /// <summary>The template did something that Jinja refuses when it runs.</summary>
    Runtime,

    /// <summary>An operation does not work on the values it was given, where Python would raise a TypeError, a ValueError and the like.</summary>
    Value,

    /// <summary>A bound of <see cref="ChatTemplateLimits"/> was reached.</summary>
    Limit,
}
