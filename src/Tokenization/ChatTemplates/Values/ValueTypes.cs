using System.Numerics;

namespace MLComponents.Tokenization;

/// <summary>
/// The values of templates. There is a closed set of them: null (None), <see cref="bool"/>, <see cref="long"/>, <see cref="BigInteger"/>
/// outside of its range, <see cref="double"/>, <see cref="string"/> and the types of this folder. Templates reach nothing else.
/// </summary>
internal static class ValueTypes
{
    /// <summary>What Python calls the type of a value.</summary>
    public static string Name(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        MarkupText => "Markup",
        ListValue => "list",
        GroupValue => "_GroupTuple",
        TupleValue => "tuple",
        DictValue => "dict",
        DictView view => "dict_" + view.Kind,
        RangeValue => "range",
        IteratorValue iterator => iterator.TypeName,
        NamespaceValue => "TemplateNamespace",
        UndefinedValue => "Undefined",
        CallableValue callable => callable.TypeName,
        CyclerValue => "Cycler",
        TemplateValue => "TemplateReference",
        _ => throw new InvalidOperationException($"{value.GetType()} is no value of templates."),
    };

    /// <summary>The type with the module it is from, where that is none of Python itself.</summary>
    public static string FullName(object value) => value switch
    {
        NamespaceValue => "transformers.utils.chat_template_utils.",
        MarkupText => "markupsafe.",
        LoopValue or MacroValue => "jinja2.runtime.",
        CyclerValue => "jinja2.utils.",
        GroupValue => "jinja2.filters.",
        _ => "",
    } + Name(value);

    /// <summary>Whether a value counts as true.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null or UndefinedValue => false,
        bool truth => truth,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        BigInteger => true,
        MarkupText markup => markup.Text.Length > 0,
        SequenceValue sequence => sequence.Items.Length > 0,
        DictValue dict => dict.Count > 0,
        DictView view => view.Owner.Count > 0,
        RangeValue range => range.Count > 0,
        LoopValue loop => loop.Length > 0,
        _ => true,
    };

    /// <summary>The text of a string, marked as HTML or not; null for other values.</summary>
    public static string? Text(object? value) => value as string ?? (value as MarkupText)?.Text;
}
