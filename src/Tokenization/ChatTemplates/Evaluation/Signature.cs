namespace MLComponents.Tokenization;

/// <summary>
/// The parameters of a function: names in order, those behind "?" optional; "*name" takes all further positional arguments as a tuple,
/// "**name" all further named ones as a list of pairs.
/// </summary>
internal sealed class Signature
{
    private readonly string[] _names;
    private readonly int _required;
    private readonly int _rest = -1;
    private readonly int _named = -1;
    private readonly int _simple;

    public Signature(string name, string parameters)
    {
        Name = name;
        string[] parts = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        _names = [.. parts.Select(part => part.Trim('?', '*'))];
        for (int index = 0; index < parts.Length; index++)
        {
            if (parts[index].StartsWith("**", StringComparison.Ordinal)) _named = index;
            else if (parts[index].StartsWith('*')) _rest = index;
            else _simple = index + 1;
            if (parts[index].EndsWith('?') || parts[index].StartsWith('*')) continue;
            _required = index + 1;
        }
    }

    public string Name { get; }

    /// <summary>The values of the parameters.</summary>
    public BoundArguments Bind(Arguments arguments)
    {
        var values = new object?[_names.Length];
        Array.Fill(values, BoundArguments.Missing);
        int given = arguments.Positional.Length;
        if (given > _simple && _rest < 0) throw Fault.Type($"{Name}() takes {(_required == _simple ? "exactly" : "at most")} {_simple} argument{(_simple == 1 ? "" : "s")} ({given} given)");
        Array.Copy(arguments.Positional, values, Math.Min(given, _simple));
        if (_rest >= 0) values[_rest] = new TupleValue(given > _simple ? arguments.Positional[_simple..] : []);
        var further = new List<KeyValuePair<string, object?>>();
        foreach (KeyValuePair<string, object?> argument in arguments.Named)
        {
            int index = Array.IndexOf(_names, argument.Key, 0, _simple);
            if (index < 0 && _named < 0) throw Fault.Type($"{Name}() got an unexpected keyword argument '{argument.Key}'");
            if (index < 0) further.Add(argument);
            else if (!ReferenceEquals(values[index], BoundArguments.Missing)) throw Fault.Type($"{Name}() got multiple values for argument '{argument.Key}'");
            else values[index] = argument.Value;
        }

        if (_named >= 0) values[_named] = further;
        for (int index = 0; index < _required; index++)
            if (ReferenceEquals(values[index], BoundArguments.Missing)) throw Fault.Type($"{Name}() missing 1 required positional argument: '{_names[index]}'");
        return new BoundArguments(values);
    }
}
